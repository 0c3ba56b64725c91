const MADE: unique symbol = Symbol('html')

/** HTML that may stand in a page as it is. Only `html` can make it: no text from outside is ever taken for it. */
export interface Html {
  readonly [MADE]: string
}

export type Part = Html | string | number | readonly Part[]

/** A template in which everything that is put in is escaped, unless it came from a template itself. Lists are joined. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  [MADE]: strings.reduce((text, string, index) => `${text}${rendered(parts[index - 1] as Part)}${string}`)
})

/** The text of a finished page, or of anything that goes into a file. */
export const textOf = (page: Html): string => page[MADE]

/** In the place of something that is left out. */
export const nothing: Html = html``

function rendered(part: Part): string {
  if (typeof part !== 'object') return escaped(String(part))
  return isList(part) ? part.map(rendered).join('') : part[MADE]
}

const isList = (part: Html | readonly Part[]): part is readonly Part[] => Array.isArray(part)

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Control characters have no place in a page, and those that turn the direction of writing can make a text look like another. */
const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, char => ENTITIES[char] as string).replace(/[[\p{Cc}--[\n\t]]\u202a-\u202e\u2066-\u2069]/gv, '\ufffd')
