/** Parsers of option values. Each one throws `Error` with what was expected. */

export const expected = (what: string): never => {
  throw new Error(`expected ${what}`)
}

/** "table, json or csv" */
export const alternatives = (values: readonly string[]): string =>
  values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`

export const oneOf =
  <T extends string>(...values: readonly T[]) =>
  (text: string): T =>
    values.find(value => value === text) ?? expected(alternatives(values))

export const parseSwitch = (text: string): boolean => oneOf('true', 'false')(text) === 'true'

export const parseList = (text: string): readonly string[] =>
  text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')

export const matching =
  (pattern: RegExp, what: string) =>
  (text: string): string =>
    pattern.test(text) ? text : expected(what)

/** An empty text means that the option is not set. */
export const optional =
  <T>(parse: (text: string) => T) =>
  (text: string): T | '' =>
    text === '' ? '' : parse(text)

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const DAY = 24 * 3_600_000

/** A duration in milliseconds, from `least` milliseconds to 24 hours. */
export function parseDuration(least: number): (text: string) => number {
  return text => {
    const [, count = '', unit = ''] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? []
    const duration = Number(count) * (UNITS[unit] ?? Number.NaN)
    return duration >= least && duration <= DAY
      ? duration
      : expected(`a duration from ${least / 1000}s to 24h, such as 90s or 5m`)
  }
}
