import type { FailureContext } from './failure.ts'

export interface NetworkMessage {
  /** `message` is that of the innermost error. */
  readonly sentence: (context: FailureContext, message: string) => string
  readonly transient?: true
}

/** The message for a code of Node.js, OpenSSL or undici; `undefined` for a code that is not known. */
export const networkMessage = (code: string): NetworkMessage | undefined =>
  MESSAGES[code] ?? FAMILIES.find(([pattern]) => pattern.test(code))?.[1]

const text = (sentence: string): NetworkMessage => ({ sentence: () => sentence })

const hostOf = ({ server }: FailureContext): string => new URL(server).hostname

const NO_RESPONSE = text(
  'it accepted the connection, but gave no answer in time; the server may hang, or a proxy may be dropping the response'
)
const NO_CONNECTION = text(
  'the connection could not be made in time; check the address and the firewalls, and whether the server hangs'
)
const UNREACHABLE = text('there is no route to that address; check the network')
const UNRESOLVED: NetworkMessage = {
  sentence: context => `the host name "${hostOf(context)}" is not known; check the server's URL and the DNS`
}
const BROKEN: NetworkMessage = {
  sentence: () => 'the connection broke before the response was complete; run again',
  transient: true
}
const UNTRUSTED = text(
  'its TLS certificate is not signed by the CA that we trust: this is the CA of another cluster, or not the server that was expected; check certificate-authority and server in the kubeconfig'
)
const NO_TLS = text('the URL says https, but the server does not speak TLS; check its port')
const NOT_AN_API = text('its response is not the JSON of a Kubernetes API; check the URL of the server')
const OUR_CERTIFICATE: NetworkMessage = {
  sentence: ({ credentials }) => `it refuses the client certificate: ${credentials} are wrong or expired`
}

const MESSAGES: Readonly<Record<string, NetworkMessage>> = {
  ECONNREFUSED: text('nothing listens there; check the address and the port, and whether the server runs'),
  ENOTFOUND: UNRESOLVED,
  EAI_AGAIN: UNRESOLVED,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  UND_ERR_SOCKET: BROKEN,
  UND_ERR_CONNECT_TIMEOUT: NO_CONNECTION,
  ETIMEDOUT: NO_CONNECTION,
  UND_ERR_HEADERS_TIMEOUT: NO_RESPONSE,
  UND_ERR_BODY_TIMEOUT: NO_RESPONSE,
  TimeoutError: NO_RESPONSE,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  INVALID_CA: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: {
    sentence: context =>
      `its TLS certificate is for other names than "${hostOf(context)}"; use one of its names as server, or set tls-server-name`
  },
  CERT_HAS_EXPIRED: text('its TLS certificate has expired; renew it, or check the clock of this machine'),
  CERT_NOT_YET_VALID: text('its TLS certificate is not valid yet; check the clock of this machine'),
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  INVALID_RESPONSE: NOT_AN_API,
  TOO_LARGE: { sentence: (_, message) => message }
}

const FAMILIES: readonly (readonly [RegExp, NetworkMessage])[] = [
  [/^ERR_SSL_.*ALERT.*CERTIFICATE/, OUR_CERTIFICATE],
  [/^ERR_SSL_.*ALERT_UNKNOWN_CA$/, OUR_CERTIFICATE],
  [/^HPE_/, NOT_AN_API],
  [/^ERR_HTTP2_/, BROKEN]
]
