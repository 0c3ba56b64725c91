import { attempt } from '../facts/attempt.ts'
import { plainText } from './program-text.ts'

/** The report of a remedy about what it did. Only the next observation shows whether that helped. */
export interface Deed {
  /** Why it failed; `undefined` if it did not. */
  readonly failure: string | undefined
  /** What was done, in one sentence. */
  readonly did: string
  /** Survives a reboot. */
  readonly persistent: boolean
  /** The last lines of the program's output, empty if there are none. */
  readonly tail: string
}

export const deed = (did: string, persistent = false): Deed => ({ failure: undefined, did, persistent, tail: '' })

export const failed = (failure: string, tail = ''): Deed => ({
  failure: plainText(failure),
  did: '',
  persistent: false,
  tail: plainText(tail).trim().slice(0, 2000)
})

/** A remedy's own class of failures. */
type Failure = new (...args: never[]) => Error

/** Runs `act`. A failure that `attempt` catches, or one of the given class, becomes a failed deed. Any other error is a bug and is thrown. */
export async function asDeed(act: () => Promise<Deed>, ownFailure?: Failure): Promise<Deed> {
  try {
    const done = await attempt(act)
    return done.ok ? done.value : failed(done.why)
  } catch (error) {
    if (ownFailure !== undefined && error instanceof ownFailure) return failed(error.message)
    throw error
  }
}

/** Joins several deeds of one remedy. The result is persistent if all of them are. */
export function together(deeds: readonly Deed[]): Deed {
  const failures = deeds.flatMap(({ failure }) => failure ?? [])
  return {
    failure: failures.length === 0 ? undefined : failures.join('; '),
    did: deeds
      .map(({ did }) => did)
      .filter(did => did !== '')
      .join('; '),
    persistent: deeds.every(({ persistent }) => persistent),
    tail: deeds.map(({ tail }) => tail).find(tail => tail !== '') ?? ''
  }
}
