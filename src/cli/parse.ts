import { parseArgs } from 'node:util'
import { isCommand } from './commands.ts'
import { OPTIONS } from './options/all.ts'
import type { OptionTable } from './options/option.ts'
import { suggest } from './suggest.ts'

/** The command line, before any value is checked. */
export interface Arguments {
  /** Option name → text; `true` for a switch. Without the options that have a problem of their own. */
  readonly values: ReadonlyMap<string, string>
  /** The command, its operand, and anything more. */
  readonly words: readonly string[]
  /** A word is left out of `words` because it may be the value of an unknown option, or the operand. */
  readonly hasUnclearWord: boolean
  readonly problems: readonly string[]
}

type Kind = 'boolean' | 'string'
type Token = ReturnType<typeof tokenize>[number]
type OptionToken = Extract<Token, { readonly kind: 'option' }>
type Word = Extract<Token, { readonly kind: 'positional' }>

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...Object.entries(OPTIONS).map(([name, { form }]) => [name, form === '' ? 'boolean' : 'string'] as const),
  ['help', 'boolean'],
  ['version', 'boolean']
])

export function parseArguments(argv: readonly string[]): Arguments {
  const tokens = tokenize(argv)
  const given = tokens.filter(token => token.kind === 'option')
  const problems = given.map((token, index) =>
    problemOf(
      token,
      given.slice(0, index).some(({ name }) => name === token.name)
    )
  )
  const words = tokens.filter(token => token.kind === 'positional').map(word => ({ ...word, role: roleOf(word, given) }))
  return {
    values: new Map(given.filter((_, index) => problems[index] === undefined).map(({ name, value }) => [name, value ?? 'true'])),
    words: words.filter(({ role }) => role === 'word').map(({ value }) => value),
    hasUnclearWord: words.some(({ role }) => role === 'unclear'),
    problems: problems.filter(problem => problem !== undefined)
  }
}

/** `strict` is off because `parseArgs` would throw at the first problem; we report all of them. */
function tokenize(argv: readonly string[]) {
  const options = Object.fromEntries([...KINDS].map(([name, type]) => [name, name === 'help' ? { type, short: 'h' } : { type }]))
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens
}

function problemOf(token: OptionToken, isRepeated: boolean): string | undefined {
  const { name, rawName, value } = token
  const kind = KINDS.get(name)
  if (kind === undefined) {
    const meant = suggest(name, [...KINDS.keys()])
    return `unknown option ${rawName}${meant === undefined ? '' : `: did you mean --${meant}?`}`
  }
  if (kind === 'string' && isWithoutValue(token)) return `${rawName} has no value: expected ${formOf(name)}`
  if (kind === 'boolean' && value !== undefined) return `${rawName} is "${value}": it is a switch and takes no value`
  return isRepeated ? `${rawName} is given twice: keep one of them` : undefined
}

/** In `--format --node FILE` the next option is not the value of the first. */
const isWithoutValue = ({ value, inlineValue }: OptionToken): boolean =>
  value === undefined || (inlineValue !== true && value.startsWith('--'))

const formOf = (name: string): string => (OPTIONS as OptionTable)[name]?.form ?? ''

/**
 * The word after an unknown option may be its value: in `report --minimum-kernl 5.4` it is, because the option that was meant takes one,
 * and 5.4 is not a second problem. Where nothing tells what was meant, only a command is taken for a word.
 */
function roleOf({ index, value }: Word, given: readonly OptionToken[]): 'word' | 'value' | 'unclear' {
  const before = given.findLast(option => option.index === index - 1)
  if (before === undefined || KINDS.has(before.name) || before.inlineValue === true) return 'word'
  const meant = suggest(before.name, [...KINDS.keys()])
  if (meant === undefined) return isCommand(value) ? 'word' : 'unclear'
  return KINDS.get(meant) === 'string' ? 'value' : 'word'
}
