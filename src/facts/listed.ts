/** `listed` joins items in one line; `none` is the text for an empty list. */
export const listed = (items: readonly string[], none: string): string => (items.length === 0 ? none : items.join(', '))
