import type { Failure, FailureContext } from './failure.ts'
import { parseStatus, type Status } from './status.ts'

/** A response with an HTTP status that is not a success. */
export class HttpFailure extends Error {
  readonly status: number
  /** The beginning of it. */
  readonly body: string
  /** Seconds, as Retry-After says; 0 where it says nothing, or a date. */
  readonly retryAfter: number

  constructor(status: number, body: string, headers: Readonly<Record<string, string | readonly string[] | undefined>>) {
    super(`HTTP status ${status}`)
    this.name = 'HttpFailure'
    this.status = status
    this.body = body
    const retryAfter = String(headers['retry-after'] ?? '')
    this.retryAfter = /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : 0
  }
}

const TRANSIENT = [429, 500, 502, 503, 504]

/** What the API server refused, and why. */
export function refusalOf({ status, body, retryAfter }: HttpFailure, context: FailureContext): Failure {
  const response = parseStatus(body)
  const details = { status, transient: TRANSIENT.includes(status), retryAfter }
  // The uid that we send as a condition would change a field that cannot change.
  if (status === 422 && response.fields.includes('metadata.uid')) return { ...details, sentence: RECREATED, code: 'RECREATED' }
  return { ...details, sentence: sentenceOf({ ...context, ...response, status, retryAfter }), code: response.reason }
}

const RECREATED = 'the Node was deleted and created again since it was read; run again'

interface Refusal extends FailureContext, Status {
  readonly status: number
  readonly retryAfter: number
}

/** By status, or by the first pattern of `OTHERS` that matches. */
const sentenceOf = (refusal: Refusal): string => {
  const sentence = SENTENCES[refusal.status] ?? OTHERS.find(([matches]) => matches(refusal))?.[1] ?? refused
  return sentence(refusal)
}

type Sentence = (refusal: Refusal) => string

const SENTENCES: Readonly<Record<number, Sentence>> = {
  401: ({ credentials }) =>
    `it rejects our credentials (401): ${credentials} are wrong, expired, or for another cluster; renew them`,
  403: ({ credentials, quoted }) => `it is forbidden (403)${quoted}; grant that permission: berth used ${credentials}`,
  404: ({ reason, ifNotFound, quoted }) =>
    reason === 'NotFound'
      ? `there is none in this cluster (404); ${ifNotFound}`
      : `there is nothing at that URL (404)${quoted}; check the server's URL, which should be a Kubernetes API`,
  409: ({ quoted }) => `it was changed by someone else at the same time (409)${quoted}; run again`,
  422: ({ quoted }) => `the API, or an admission policy in it, refuses the change (422)${quoted}`,
  429: ({ retryAfter }) => `it is too busy (429)${retryAfter > 0 ? `, and asks us to wait ${retryAfter} s` : ''}; run again later`
}

const refused: Sentence = ({ status, quoted }) => `it refused the request (${status})${quoted}`

const OTHERS: readonly (readonly [(refusal: Refusal) => boolean, Sentence])[] = [
  [
    ({ status }) => status < 400,
    ({ status }) => `it redirects us (${status}), which no API server does; write the API server's own URL in the kubeconfig`
  ],
  [
    ({ status }) => status >= 500,
    ({ status, quoted }) => `it has an internal error (${status})${quoted}; look at the API server's log, and run again`
  ],
  [
    ({ quoted }) => /HTTP request to an HTTPS server/.test(quoted),
    ({ status }) => `the URL says http, but the server speaks TLS (${status}); write https:// in the kubeconfig`
  ]
]
