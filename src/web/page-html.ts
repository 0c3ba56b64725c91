import { printableLines } from '../printable.ts'

const MADE: unique symbol = Symbol('html')

/** HTML that goes into a page unescaped. Only `html` creates it: no value from outside can pass for it. */
export interface Html {
  readonly [MADE]: string
}

export type Part = Html | string | number | readonly Part[]

/** A template that escapes every value, unless the value comes from such a template itself. Lists are joined. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  [MADE]: strings.reduce((text, string, index) => `${text}${rendered(parts[index - 1] as Part)}${string}`)
})

/** The text of a finished page, or of anything that goes into a file. */
export const textOf = (page: Html): string => page[MADE]

/** Stands for a part that is left out. */
export const nothing: Html = html``

function rendered(part: Part): string {
  if (typeof part !== 'object') return escaped(String(part))
  return isList(part) ? part.map(rendered).join('') : part[MADE]
}

const isList = (part: Html | readonly Part[]): part is readonly Part[] => Array.isArray(part)

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escaped = (text: string): string => printableLines(text).replace(/[&<>"']/g, char => ENTITIES[char] as string)
