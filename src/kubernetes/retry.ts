import { growing } from '../growing-wait.ts'
import { ApiError } from './api-error.ts'

/** Sleep and randomness as parameters, so that tests can pass their own. */
export interface Waiting {
  readonly sleep: (milliseconds: number) => Promise<void>
  /** From 0 up to 1. */
  readonly random: () => number
}

const RETRIES = 3
/** Milliseconds. */
const PAUSE = { first: 500, longest: 30_000 }

/** Tries again after a transient failure, at most three times, after growing waits with full jitter, to which Retry-After is added. */
export async function withRetries<T>(attempt: () => Promise<T>, { sleep, random }: Waiting): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof ApiError) || !error.transient) throw error
      const wait = error.retryAfter * 1000 + random() * growing(PAUSE, retry + 1)
      if (retry === RETRIES || wait > PAUSE.longest) throw retry === 0 ? error : gaveUp(error, retry + 1)
      await sleep(wait)
    }
  }
}

const gaveUp = (error: ApiError, times: number): ApiError =>
  new ApiError(`${error.message} (tried ${times} times)`, { ...error, cause: error })
