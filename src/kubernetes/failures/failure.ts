import type { ApiError, Purpose } from '../api-error.ts'

/** A purpose, and where its request went with which credentials. */
export interface FailureContext extends Purpose {
  /** URL without user name and password. */
  readonly server: string
  /** Where the credentials came from, never what they are: `the credentials of user "admin" in the kubeconfig "/k"`. */
  readonly credentials: string
}

/** Why a request failed, as a sentence without its beginning "cannot … at SERVER: ", and the fields of its `ApiError`. */
export interface Failure extends Partial<Pick<ApiError, 'status' | 'code' | 'transient' | 'retryAfter' | 'cause'>> {
  readonly sentence: string
}
