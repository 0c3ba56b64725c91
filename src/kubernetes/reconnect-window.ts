/** Randomness and sleep as parameters, so that tests can pass their own. */
export interface Pace {
  /** From 0 up to 1. */
  readonly random: () => number
  /** Resolves after so many milliseconds, and at once when the signal is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/**
 * The reconnect window (milliseconds): the time within which all agents of a cluster reconnect. 15,000 agents that lost one server are
 * then 1,250 requests a second, and each Node is up to date within 15 s of the server's return, handshake and write included.
 */
export const WINDOW = 12_000

/**
 * How long to wait before the next try (milliseconds). This is not a growing wait, as `growing` of src/growing-wait.ts is: a growing wait would
 * leave Nodes out of date for longer than the 15 s. The first wait spreads all agents that failed at the same moment evenly over the
 * window. After that each keeps its place in it, since a new random wait would only bunch agents that are already spread. Retry-After is
 * respected up to the length of the window, and the rest of the window still spreads, so that not all come at the end of that time.
 */
export function backoff(failures: number, random: () => number, retryAfter = 0): number {
  if (failures > 1) return WINDOW
  const least = Math.min(WINDOW, retryAfter)
  return least + random() * (WINDOW - least)
}
