/**
 * The output of a program without control characters. They are removed and not spelled out as `printable` does: gcc colours its errors, and
 * spelled colours would hide the text.
 */
export const plainText = (text: string): string => text.replace(SEQUENCE, '').replace(CONTROL, '')

/** CSI and OSC sequences of ECMA-48, with any control character at the start. Newlines and tabs are kept. */
const SEQUENCE = /(?![\n\t])\p{Cc}(?:\[[0-?]*[ -/]*[@-~]|\][^\p{Cc}]*\p{Cc}\\?)/gu
const CONTROL = /(?![\n\t])\p{Cc}/gu

export const lastLine = (text: string): string => plainText(text).trim().split('\n').at(-1) ?? ''

const FIRST_ERROR = /\berror: /i
/** How many of the last lines are kept, and how many characters of them. */
const LAST_LINES = 12
const LONGEST = 1500

/** The compiler's first error, which usually causes the others, and the last lines. */
export function buildTail(output: string): string {
  const lines = plainText(output).trim().split('\n')
  const first = lines.findIndex(line => FIRST_ERROR.test(line))
  const last = lines
    .slice(Math.max(first + 1, lines.length - LAST_LINES))
    .join('\n')
    .slice(-LONGEST)
  return first < 0 ? last : `${lines[first]?.slice(0, 400)}\n${last}`
}
