import { ApiError } from '../api-error.ts'
import type { FailureContext } from './failure.ts'
import { HttpFailure, refusalOf } from './http-failure.ts'
import { networkFailureOf } from './network-failure.ts'

/** The failure of a request as an `ApiError`. Throws the error itself where it is not such a failure, but a bug of ours. */
export function toApiError(error: unknown, context: FailureContext): ApiError {
  if (error instanceof ApiError) return error
  const failure = error instanceof HttpFailure ? refusalOf(error, context) : networkFailureOf(error, context)
  if (failure === undefined) throw error
  const { sentence, ...details } = failure
  return new ApiError(`cannot ${context.action} at ${context.server}: ${sentence}`, details)
}
