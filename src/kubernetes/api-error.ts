import { ApiException } from '@kubernetes/client-node/dist/gen/apis/exception.js'

/** What was asked, for the sentence of its failure. */
export interface Question {
  /** Continues "cannot": `read the Node "n1"`. */
  readonly tried: string
  /** URL without user name and password. */
  readonly server: string
  /** Where the credentials came from, never what they are. */
  readonly credentials: string
  /** What to do when there is no such thing. */
  readonly whenMissing: string
}

/** Why a question to the API has no answer. The message is a sentence for people; it never quotes credentials or headers. */
export class ApiError extends Error {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number
  /** Of Node, OpenSSL or undici, `REASON` of the API's answer, or ours: `KUBECONFIG`, `CREDENTIALS`, `RECREATED`, `GARBAGE`, `TOO_LARGE`. */
  readonly code: string
  /** Worth asking again soon. */
  readonly transient: boolean
  /** Seconds that the server wants to be left alone. */
  readonly retryAfter: number

  constructor(message: string, details: Partial<Pick<ApiError, 'status' | 'code' | 'transient' | 'retryAfter' | 'cause'>>) {
    super(message, { cause: details.cause })
    this.name = 'ApiError'
    this.status = details.status ?? 0
    this.code = details.code ?? ''
    this.transient = details.transient ?? false
    this.retryAfter = details.retryAfter ?? 0
  }
}

/** The failure of a question as an `ApiError`; what is no failure of the world is thrown on as the bug that it is. */
export function apiError(error: unknown, question: Question): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof ApiException) return refusal(error, question)
  const { code, message } = networkFailure(error)
  const says = NETWORK[code] ?? FAMILIES.find(([pattern]) => pattern.test(code))?.[1]
  if (says === undefined && code === '') throw error
  const { sentence, transient = false } = says ?? { sentence: () => `the connection failed: ${message} (${code})` }
  return new ApiError(`${cannot(question)}: ${sentence(question, message)}`, { code, transient, cause: error })
}

const cannot = ({ tried, server }: Question): string => `cannot ${tried} at ${server}`

interface Answer {
  readonly code: number
  readonly message: string
  readonly reason: string
  /** Paths of the fields that the API server found wrong. */
  readonly fields: readonly string[]
}

function refusal({ code, body, headers, ...rest }: ApiException<unknown>, question: Question): ApiError {
  const answer = statusOf(code, body)
  const recreated = code === 422 && answer.fields.includes('metadata.uid')
  const retryAfter = /^\d{1,6}$/.test(headers['retry-after'] ?? '') ? Number(headers['retry-after']) : 0
  return new ApiError(`${cannot(question)}: ${recreated ? RECREATED : sentenceOf(answer, question, retryAfter)}`, {
    status: code,
    code: recreated ? 'RECREATED' : answer.reason,
    transient: [429, 500, 502, 503, 504].includes(code),
    retryAfter,
    cause: rest
  })
}

/** The API server says so by 422: the uid that we send as a condition would change a field that cannot change. */
const RECREATED = 'the Node was deleted and created anew since it was read; run again'

function sentenceOf(answer: Answer, question: Question, retryAfter: number): string {
  const { code, reason } = answer
  const quoted = quote(answer.message)
  if (code < 400)
    return `it sends us elsewhere (${code}), as no API server does; write the API server's own URL in the kubeconfig`
  if (code === 401)
    return `it does not know us (401): ${question.credentials} are wrong, expired, or for another cluster; renew them`
  if (code === 403)
    return `it is forbidden (403)${quoted}; grant that permission to the user that ${question.credentials} stand for`
  if (code === 404 && reason === 'NotFound') return `there is none in this cluster (404); ${question.whenMissing}`
  if (code === 404)
    return `there is nothing at that address (404)${quoted}; check the server's URL, which should be a Kubernetes API`
  if (code === 409) return `somebody else changed it at the same moment (409)${quoted}; run again`
  if (code === 422) return `the API, or an admission policy in it, refuses the change (422)${quoted}`
  if (code === 429)
    return `it is too busy (429)${retryAfter > 0 ? `, and asks for ${retryAfter} s of peace` : ''}; run again later`
  if (code >= 500) return `it failed itself (${code})${quoted}; look at the API server's log, and run again`
  if (/HTTP request to an HTTPS server/.test(answer.message)) {
    return `the URL says http, and the server speaks TLS (${code}); write https:// in the kubeconfig`
  }
  return `it refused (${code})${quoted}`
}

/** A Kubernetes `Status`, where the body is one; a proxy in between sends whatever it likes. */
function statusOf(code: number, body: unknown): Answer {
  const text = typeof body === 'string' ? body : ''
  try {
    const { message, reason, details } = JSON.parse(text) as Readonly<Record<string, unknown>>
    const causes = (details as { causes?: unknown } | undefined)?.causes
    return {
      code,
      message: typeof message === 'string' ? message : '',
      reason: typeof reason === 'string' ? reason : '',
      fields: Array.isArray(causes) ? causes.map(cause => String((cause as { field?: unknown } | null)?.field)) : []
    }
  } catch {
    return { code, message: text, reason: '', fields: [] }
  }
}

/** What others wrote, on one line, without control characters, and not for ever. */
const quote = (text: string): string => {
  const line = text.replace(/[\s\p{C}]+/gu, ' ').trim()
  return line === '' ? '' : `: "${line.length > 400 ? `${line.slice(0, 399)}…` : line}"`
}

interface Says {
  /** `message` is that of the innermost error. */
  readonly sentence: (question: Question, message: string) => string
  readonly transient?: true
}

const says = (text: string): Says => ({ sentence: () => text })

const NO_ANSWER = says(
  'it accepted the connection and then gave no answer in time; the server hangs, or something between us eats the answer'
)
const NO_CONNECTION = says('no connection came about in time; check the address, firewalls, and whether the server hangs')
const UNREACHABLE = says('there is no way to that address from here; check the network')
const UNRESOLVED: Says = {
  sentence: ({ server }) => `the host name "${new URL(server).hostname}" is not known; check the server's URL and the DNS`
}
const CUT: Says = { sentence: () => 'the server ended the connection in the middle; run again', transient: true }
const UNTRUSTED: Says = {
  sentence: () =>
    "its TLS certificate is not signed by the CA that we trust; this is another cluster's CA, or another server than the one expected: check certificate-authority and server in the kubeconfig"
}
const NO_TLS = says('the URL says https, and the server does not speak TLS; check its port')
const GARBAGE = says('it answered something that is not the JSON of a Kubernetes API; check the URL of the server')
const OUR_CERTIFICATE: Says = {
  sentence: ({ credentials }) => `it refuses the client certificate: ${credentials} are wrong or expired`
}

const NETWORK: Readonly<Record<string, Says>> = {
  ECONNREFUSED: says('nothing listens there; check the address and the port, and whether the server runs'),
  ENOTFOUND: UNRESOLVED,
  EAI_AGAIN: UNRESOLVED,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ECONNRESET: CUT,
  EPIPE: CUT,
  UND_ERR_SOCKET: CUT,
  UND_ERR_CONNECT_TIMEOUT: NO_CONNECTION,
  ETIMEDOUT: NO_CONNECTION,
  UND_ERR_HEADERS_TIMEOUT: NO_ANSWER,
  UND_ERR_BODY_TIMEOUT: NO_ANSWER,
  TimeoutError: NO_ANSWER,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  INVALID_CA: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: {
    sentence: ({ server }) =>
      `its TLS certificate is for other names than "${new URL(server).hostname}"; use one of its names as server, or set tls-server-name`
  },
  CERT_HAS_EXPIRED: says('its TLS certificate has expired; renew it, or check the clock of this machine'),
  CERT_NOT_YET_VALID: says('its TLS certificate is not valid yet; check the clock of this machine'),
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  GARBAGE,
  TOO_LARGE: { sentence: (_, message) => message }
}

const FAMILIES: readonly (readonly [RegExp, Says])[] = [
  [/^ERR_SSL_.*ALERT.*CERTIFICATE/, OUR_CERTIFICATE],
  [/^ERR_SSL_.*ALERT_UNKNOWN_CA$/, OUR_CERTIFICATE],
  [/^HPE_/, GARBAGE],
  [/^ERR_HTTP2_/, CUT]
]

/** What happened may be hidden in `cause`: the innermost code is the one that tells. */
function networkFailure(error: unknown): { readonly code: string; readonly message: string } {
  let found = { code: '', message: '' }
  for (let next = error, depth = 0; next instanceof Error && depth < 8; next = next.cause, depth++) {
    const code = codeOf(next as NodeJS.ErrnoException)
    if (code !== '') found = { code, message: next.message }
  }
  return found
}

function codeOf(error: NodeJS.ErrnoException): string {
  if (error.name === 'TimeoutError') return 'TimeoutError'
  // client-node's serializer, whose errors have no code; JSON.parse's own
  if (error instanceof SyntaxError || /^(The mediaType|Cannot parse content)/.test(error.message)) return 'GARBAGE'
  return typeof error.code === 'string' ? error.code : ''
}
