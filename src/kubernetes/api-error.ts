/** What a request is for, used in the message of its failure. */
export interface Purpose {
  /** Continues "cannot": `read the Node "n1"`. */
  readonly action: string
  /** What to do when the object does not exist (404). */
  readonly ifNotFound: string
}

type Details = Partial<Pick<ApiError, 'status' | 'code' | 'transient' | 'retryAfter' | 'cause'>>

/** Why a request failed. The message is a sentence for people; it never quotes credentials or headers. */
export class ApiError extends Error {
  /** HTTP status; 0 where there was no response. */
  readonly status: number
  /**
   * Of Node.js, OpenSSL or undici, the `reason` of the API's response, or our own: `KUBECONFIG`, `CREDENTIALS`, `RECREATED`,
   * `INVALID_RESPONSE`, `TOO_LARGE`.
   */
  readonly code: string
  /** Whether the same request may succeed soon. */
  readonly transient: boolean
  /** Seconds to wait before the next request, as the server asks by Retry-After; 0 where it does not ask. */
  readonly retryAfter: number

  constructor(message: string, details: Details) {
    super(message, { cause: details.cause })
    this.name = 'ApiError'
    this.status = details.status ?? 0
    this.code = details.code ?? ''
    this.transient = details.transient ?? false
    this.retryAfter = details.retryAfter ?? 0
  }
}
