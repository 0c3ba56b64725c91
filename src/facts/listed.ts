/** Items in one line, or what to say where there are none. */
export const listed = (items: readonly string[], none: string): string => (items.length === 0 ? none : items.join(', '))
