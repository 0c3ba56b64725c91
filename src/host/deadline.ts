/** How long the node may take for one answer (milliseconds). A file server that is gone would block a read for ever. */
export const ANSWER_TIMEOUT = 5_000

const SLICES = 10

export interface DeadlineTerms {
  /** Milliseconds; it is asked for each slice, since the limit can change while the deadline runs. */
  readonly limit: () => number
  readonly expired: () => void
}

export interface Deadline {
  readonly start: () => void
  readonly clear: () => void
}

/**
 * A timer that runs in slices. After a suspend, or on a busy machine, a process handles one long timer before the answers that arrived
 * in the meantime, and would take every file for unreadable. Between two slices the answers are handled.
 */
export function createDeadline({ limit, expired }: DeadlineTerms): Deadline {
  let timer: NodeJS.Timeout | undefined
  const wait = (slices: number): void => {
    timer = setTimeout(() => (slices > 1 ? wait(slices - 1) : expired()), limit() / SLICES)
  }
  return { start: () => wait(SLICES), clear: () => clearTimeout(timer) }
}
