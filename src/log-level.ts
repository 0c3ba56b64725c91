/** From the most to the least that is logged. Apart from the log itself, so that reading options does not load it. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]
