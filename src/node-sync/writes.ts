import { ApiError } from '../kubernetes/api-error.ts'
import type { Connection } from '../kubernetes/connection.ts'
import type { Drift } from './drift.ts'
import type { Result, Target } from './status.ts'

/** Called with the result of each write to the API, for logs, metrics and the status page. */
export interface WriteListener {
  readonly wrote: (target: Target, result: Result, what: string, error?: ApiError) => void
  /** A label that somebody else had changed was repaired, so many seconds after we saw the change. */
  readonly repaired: (drift: Drift, seconds: number) => void
  /** How many keys are paused because somebody keeps changing them back; `begun` are those whose pause begins now. */
  readonly contested: (keys: number, begun: readonly string[]) => void
}

/** What every writer of the Node needs. */
export interface WriterTerms {
  readonly connection: Connection
  readonly clock: { readonly elapsed: () => number; readonly now: () => Date }
  readonly random: () => number
  readonly listener: WriteListener
}

/**
 * Makes one write and reports it. Resolves to false when the API refused it, which is not repeated at once. Throws `ApiError` for a
 * failure that may pass.
 */
export async function attemptWrite(
  listener: WriteListener,
  { target, what }: { readonly target: Target; readonly what: string },
  write: () => Promise<void>
): Promise<boolean> {
  try {
    await write()
    listener.wrote(target, 'written', what)
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    listener.wrote(target, isRefusal(error) ? 'refused' : 'failed', what, error)
    if (!isRefusal(error)) throw error
    return false
  }
}

/** The API understood the request and refused it: the same request would be refused again. */
export const isRefusal = ({ status, code }: ApiError): boolean =>
  (status === 403 || status === 422 || status === 409 || status === 400) && code !== 'RECREATED'

/**
 * RBAC refused, and with it every request that we could make: an API server that has just started does so until it has read the roles,
 * so it says nothing about this key. Admission says who denied the request and why.
 */
export const isUnauthorized = ({ status, message }: ApiError): boolean =>
  status === 403 && / cannot [a-z]+ resource /.test(message)
