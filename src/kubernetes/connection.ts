import type { RequestOptions } from 'node:https'
import { isDeepStrictEqual } from 'node:util'
// Deep imports: the package's index would load its watch, exec, copy and object clients too.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import { ApiException } from '@kubernetes/client-node/dist/gen/apis/exception.js'
import { RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js'
import { Agent, type Dispatcher } from 'undici'
import { ApiError, apiError, type Question } from './api-error.ts'
import { type Asked, parseAsked } from './asked.ts'
import { beginningOf, bounded, MIB, wholeText } from './bounded.ts'
import { loadKubeconfig, loadServiceAccount } from './kubeconfig.ts'

/** The one connection of this process to its Kubernetes API. */
export interface Connection {
  /** URL without user name and password. */
  readonly server: string
  /** One request, whose answer is JSON. Every failure of the world, a refusal too, is an `ApiError`. */
  readonly call: <T>(what: Pick<Question, 'tried' | 'whenMissing'>, call: Call) => Promise<T>
  /** One request by hand over the same connection, for what the typed API has not. Every failure, a refusal too, is an `ApiError`. */
  readonly open: (what: Pick<Question, 'tried' | 'whenMissing'>, exchange: Exchange) => Promise<AsyncIterable<Uint8Array>>
  /** At once: whoever still waits for an answer gets an error. */
  readonly close: () => Promise<void>
}

/** A request by hand. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** With its query. */
  readonly path: string
  readonly body?: unknown
  /** Of the body; JSON where it is not said. */
  readonly contentType?: string
  /** Of the answer; JSON where it is not said. */
  readonly accept?: string
  /** Gives up before the limit does. */
  readonly signal?: AbortSignal
  /** The largest answer, bytes; where it is not said, what a single object may have. */
  readonly most?: number
}

/** A request whose answer is read as it comes. */
export interface Exchange extends Call {
  /** The longest time between two parts of the answer, milliseconds. */
  readonly silence: number
  /** From the question to the end of the answer, milliseconds. */
  readonly longest: number
  readonly most: number
  readonly signal: AbortSignal
}

/** etcd takes no object of more than 1.5 MiB, which is more as JSON. */
const OBJECT = 8 * MIB

/** For a page of a list that is read as a whole. */
export const LIST = 64 * MIB

/** Milliseconds. */
export interface Limits {
  /** TCP and TLS together, so that a handshake that freezes ends. */
  readonly connect: number
  /** Until an answer begins, and between any two parts of it. */
  readonly silence: number
  /** From the question to the end of the answer. */
  readonly total: number
}

export interface ConnectionOptions {
  readonly userAgent: string
  /** Stands before the path of the pod's own credentials. */
  readonly root: string
  readonly limits: Limits
  /** Hears of each request when its answer begins, with the HTTP status, or 0 when none came. */
  readonly onAnswer: (asked: Asked, status: number) => void
}

const DEFAULTS: ConnectionOptions = {
  userAgent: 'berth',
  root: '',
  limits: { connect: 5_000, silence: 10_000, total: 15_000 },
  onAnswer: () => undefined
}

/** With the kubeconfig, or where none is given (empty) with the pod's own credentials. Nothing is sent yet. Throws `ApiError`. */
export async function openConnection(kubeconfig: string, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const { userAgent, root, limits, onAnswer } = { ...DEFAULTS, ...options }
  const line = sharedLine(limits)
  const config = new SharedConfig(line)
  const terms = { config, userAgent, onAnswer, limits }
  const { server, credentials } = kubeconfig === '' ? loadServiceAccount(config, root) : loadKubeconfig(config, kubeconfig)
  return {
    server,
    call: async (what, exchange) => {
      const limit = AbortSignal.timeout(limits.total)
      const signal = exchange.signal === undefined ? limit : AbortSignal.any([limit, exchange.signal])
      try {
        const answer = await send({ ...exchange, silence: limits.silence, signal }, terms)
        return JSON.parse(await wholeText(answer, exchange.most ?? OBJECT))
      } catch (error) {
        throw exchange.signal?.aborted ? error : apiError(error, { ...what, server, credentials })
      }
    },
    open: async (what, exchange) => {
      const question = { ...what, server, credentials }
      const signal = AbortSignal.any([exchange.signal, AbortSignal.timeout(exchange.longest)])
      try {
        return told(bounded(await send({ ...exchange, signal }, terms), exchange.most), question)
      } catch (error) {
        throw exchange.signal.aborted ? error : apiError(error, question)
      }
    },
    close: line.close
  }
}

interface Sending extends Pick<ConnectionOptions, 'userAgent' | 'onAnswer' | 'limits'> {
  readonly config: KubeConfig
}

async function send(exchange: Omit<Exchange, 'longest' | 'most'>, { config, userAgent, onAnswer, limits }: Sending) {
  const { method, path, body, silence, signal } = exchange
  const url = `${config.getCurrentCluster()?.server}${path}`
  const context = new RequestContext(url, method)
  await config.applySecurityAuthentication(context)
  const asked = parseAsked(method, path)
  const { origin, pathname, search } = new URL(url)
  const dispatcher = context.getDispatcher() as Dispatcher
  const sending = dispatcher.request({
    origin,
    path: pathname + search,
    method,
    headers: { ...context.getHeaders(), ...headersOf(exchange), 'user-agent': userAgent },
    body: body === undefined ? null : JSON.stringify(body),
    bodyTimeout: silence,
    signal
  })
  const answer = await sending.catch((error: unknown) => {
    onAnswer(asked, 0)
    throw error
  })
  onAnswer(asked, answer.statusCode)
  // A redirect too is no answer of a Kubernetes API.
  if (answer.statusCode < 300) return answer.body
  const says = await beginningOf(answer.body, limits.silence)
  throw new ApiException(answer.statusCode, 'refused', says, plainHeaders(answer.headers))
}

const headersOf = ({ body, contentType = 'application/json', accept = 'application/json' }: Call): Record<string, string> =>
  body === undefined ? { accept } : { accept, 'content-type': contentType }

const plainHeaders = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

/** What breaks the answer while it is read is told like what breaks the question. */
async function* told(answer: AsyncIterable<Uint8Array>, question: Question): AsyncGenerator<Uint8Array> {
  try {
    yield* answer
  } catch (error) {
    throw apiError(error, question)
  }
}

/**
 * client-node 2.0.1 makes an Agent, and so a TCP connection and a TLS handshake, for every single request.
 * This does what the parent's method does, by the parent's public parts, and gives each request the same Agent.
 */
class SharedConfig extends KubeConfig {
  readonly #line: SharedLine

  constructor(line: SharedLine) {
    super()
    this.#line = line
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const options = await this.#credentials()
    const { headers = {}, auth } = options
    if (auth) context.setHeaderParam('Authorization', `Basic ${Buffer.from(auth).toString('base64')}`)
    // A token from a file ends with a newline, which no header may.
    for (const [name, value] of Object.entries(headers)) context.setHeaderParam(name, `${value}`.trim())
    const make = this.getCurrentCluster()?.proxyUrl ? () => this.#throughProxy(context) : undefined
    context.setDispatcher(await this.#line.dispatcher(tlsOf(options), make))
  }

  /** Read anew for every request: token, certificates and CA are exchanged below us while we run. */
  async #credentials(): Promise<RequestOptions> {
    const options: RequestOptions = {}
    try {
      await this.applyToHTTPSOptions(options)
      return options
    } catch (error) {
      const [first] = (error as Error).message.split('\n')
      throw new ApiError(`the credentials for the Kubernetes API cannot be had: ${first}`, { code: 'CREDENTIALS', cause: error })
    }
  }

  /** The parent knows HTTP and SOCKS proxies; what it makes is kept. */
  async #throughProxy(context: RequestContext): Promise<Dispatcher> {
    await super.applySecurityAuthentication(context)
    return context.getDispatcher() as Dispatcher
  }
}

const TLS_OPTIONS = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const

type TlsOptions = Pick<RequestOptions, (typeof TLS_OPTIONS)[number]>

const tlsOf = (options: RequestOptions): TlsOptions =>
  Object.fromEntries(TLS_OPTIONS.filter(name => options[name] !== undefined).map(name => [name, options[name]]))

interface SharedLine {
  /** The same one as long as the TLS options are the same; after a rotation a new one, while the old one ends what it has begun. */
  readonly dispatcher: (tls: TlsOptions, make?: (() => Promise<Dispatcher>) | undefined) => Promise<Dispatcher>
  readonly close: () => Promise<void>
}

function sharedLine(limits: Limits): SharedLine {
  let current: { readonly tls: TlsOptions; readonly made: Promise<Dispatcher> } | undefined
  const end = async (how: 'close' | 'destroy') => (await current?.made)?.[how]()
  return {
    dispatcher: (tls, make = async () => agentFor(tls, limits)) => {
      if (current !== undefined && isDeepStrictEqual(current.tls, tls)) return current.made
      end('close').catch(() => undefined) // nobody waits for the old one
      current = { tls, made: make() }
      return current.made
    },
    close: async () => {
      await end('destroy')
      current = undefined
    }
  }
}

/**
 * HTTP/2 carries a watch and calls at the same time on one connection; with HTTP/1.1 each needs one of its own.
 * After a timeout undici asks the server by a PING whether it lives, and connects anew if it does not.
 */
const agentFor = (tls: TlsOptions, { connect, silence }: Limits): Agent =>
  new Agent({
    allowH2: true,
    connections: 2,
    headersTimeout: silence,
    bodyTimeout: silence,
    // Load balancers drop what is silent for 60 s.
    connect: { ...tls, timeout: connect, keepAlive: true, keepAliveInitialDelay: 30_000 }
  })
