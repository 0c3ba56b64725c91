/** A source file: its path below src, its code without comments, and that without what stands in quotes too. */
export interface Source {
  readonly path: string
  readonly code: string
  readonly bare: string
  /** Static, side effect, re-exported and dynamic ones, types too: a type ties files together as a value does. */
  readonly imports: readonly string[]
  /** The imports without those of types alone, which are gone when it runs. */
  readonly loads: readonly string[]
}

export function source(path: string, text: string): Source {
  const tokens = tokensOf(text)
  const code = tokens.join('')
  const loading = code.replaceAll(/^(?:import|export) type [^'"]*\bfrom\s*(['"])[^'"\n]*\1/gm, '')
  return { path, code, bare: tokens.map(bared).join(''), imports: importsOf(tokens), loads: importsOf(tokensOf(loading)) }
}

const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/
const QUOTED = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/
const HOLE = /\$\{((?:[^{}`]|`[^`]*`|\{[^{}]*\})*)\}/
const TEMPLATE = new RegExp(`\`(?:\\\\[\\s\\S]|${HOLE.source}|[^\`\\\\])*\``)
// A slash begins a regular expression after what cannot end a value.
const PATTERN = /(?<=[=(,:?&|!>[]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/
const TOKENS = new RegExp(`${[COMMENT, QUOTED, TEMPLATE, PATTERN].map(part => part.source).join('|')}|[\\s\\S]`, 'g')

/** Without comments; of a template stays the code in its holes. */
const tokensOf = (text: string): readonly string[] =>
  [...text.matchAll(TOKENS)].flatMap(([token]) => {
    if (/^\/[/*]/.test(token)) return []
    if (token.length === 1 || !token.startsWith('`')) return [token]
    return [...token.matchAll(new RegExp(HOLE, 'g'))].flatMap(([, code]) => ['(', ...tokensOf(code as string), ')'])
  })

/** Without what is only said. */
const bared = (token: string): string => (token.length === 1 ? token : /^['"]/.test(token) ? "''" : '/x/')

function importsOf(tokens: readonly string[]): readonly string[] {
  const before = (index: number) => tokens.slice(Math.max(0, index - 20), index).join('')
  return tokens
    .filter((token, index) => /^['"]/.test(token) && /(^|[^\w.])(from|import\s*\(?)\s*$/.test(before(index)))
    .map(token => token.slice(1, -1))
}
