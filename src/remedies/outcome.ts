import type { RemedyName } from './all.ts'

export const RESULTS = ['applied', 'ineffective', 'failed', 'forbidden', 'blocked', 'not-needed'] as const

/** The outcome of a remedy, or why it was not tried. */
export interface Outcome {
  readonly remedy: RemedyName
  readonly result: (typeof RESULTS)[number]
  /** One sentence with the measured values. */
  readonly because: string
  /** When it was tried, ISO 8601; empty if it was not. */
  readonly at: string
  /** The last lines of the program's output, empty if there are none. */
  readonly tail: string
}
