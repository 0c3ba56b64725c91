/** Chance and waiting, as the caller has them; a test gives its own. */
export interface Pace {
  /** From 0 up to 1. */
  readonly random: () => number
  /** Resolves after so many milliseconds, and at once when the signal is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/**
 * Within this time (milliseconds) all come back. 15,000 agents that lost one server are then 1,250 requests a second, and each is right
 * again within 15 s of the server's return, handshake and writing included.
 */
export const WINDOW = 12_000

/**
 * How long to wait before the next try (milliseconds). The first wait spreads all who failed at one moment evenly over the window. From
 * then on each keeps its place in it: new dice would only bunch what is spread already. A server that names a time is obeyed up to the
 * window's length, and what is left of the window is used all the same, so that not all come at the end of that time.
 */
export function backoff(failures: number, random: () => number, retryAfter = 0): number {
  if (failures > 1) return WINDOW
  const least = Math.min(WINDOW, retryAfter)
  return least + random() * (WINDOW - least)
}
