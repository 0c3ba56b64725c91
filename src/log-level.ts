/** From the most to the least verbose. In its own file, so that parsing options does not load the log. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]
