/** `labelValue` makes a valid label value: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends. */
export const labelValue = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
