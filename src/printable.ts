/**
 * Text from elsewhere that may stand on a terminal: what would steer it (escape sequences), or turn the direction of writing, is spelt.
 * As JSON spells it, so that JSON stays the same JSON.
 */
export const printable = (text: string): string =>
  STEERING.test(text) ? text.replace(STEERINGS, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`) : text

/** The same of a text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

const STEERING = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u
const STEERINGS = new RegExp(STEERING, 'gu')
