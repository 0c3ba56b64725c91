/**
 * Makes text from outside safe to print: characters that steer a terminal (escape sequences), break a line or change the direction of
 * writing are spelled out as JSON spells them, so that JSON remains the same JSON.
 */
export const printable = (text: string): string => (STEERING.test(text) ? text.replace(ALL_STEERING, spelled) : text)

/** The same for a text of several lines: line ends and tabs stay. */
export const printableLines = (text: string): string =>
  STEERING.test(text) ? text.replace(ALL_STEERING, char => (char === '\n' || char === '\t' ? char : spelled(char))) : text

/** A text from outside on one line, for a sentence that quotes it: white space and invisible characters become single spaces. */
export const oneLine = (text: string): string => text.replace(/[\s\p{C}]+/gu, ' ').trim()

const STEERING = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u
const ALL_STEERING = new RegExp(STEERING, 'gu')

const spelled = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
