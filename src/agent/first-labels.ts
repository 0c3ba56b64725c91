import type { Pace } from '../kubernetes/reconnect-window.ts'

/** The first turn that could write the labels. Whatever can wait begins after it. */
export interface FirstLabels {
  /** Called when a turn ends that could write to the Node. */
  readonly reached: () => void
  /** Resolves at the first call of `reached`, and after `LONGEST_WAIT` at the latest. */
  readonly settled: Promise<void>
}

/** Where the labels cannot be written, the rest begins after so long (milliseconds). */
const LONGEST_WAIT = 1_000

export function createFirstLabels(sleep: Pace['sleep'], signal: AbortSignal): FirstLabels {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { reached: resolve, settled: Promise.race([promise, sleep(LONGEST_WAIT, signal)]) }
}
