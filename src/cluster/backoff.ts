/** Chance and waiting, as the caller has them; a test gives its own. */
export interface Pace {
  /** From 0 up to 1. */
  readonly random: () => number
  /** Resolves after so many milliseconds, and at once when the signal is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/**
 * First bound and longest wait (milliseconds). 15,000 agents that lost one server must not come back at one moment, and each is to be
 * right again within 15 s, handshake and writing included.
 */
const FIRST = 500
const LONGEST = 12_000

/**
 * How long to wait before the next try (milliseconds), with full jitter: anything up to a bound that doubles with each failure in
 * a row. A server that names a time is obeyed up to the longest wait, and a bit longer, so that not all come at its end.
 */
export function backoff(failures: number, random: () => number, retryAfter = 0): number {
  const bound = Math.min(LONGEST, FIRST * 2 ** Math.min(Math.max(failures - 1, 0), 10))
  return Math.min(LONGEST, retryAfter) + random() * (retryAfter > 0 ? Math.min(bound, 1_000) : bound)
}
