import { isDeepStrictEqual } from 'node:util'
import { Agent, type Dispatcher } from 'undici'
import type { Call, Timeouts } from './call.ts'
import { type KubeConfig, proxyDispatcher, requestCredentials, type TlsOptions } from './credentials/client-node.ts'
import { HttpFailure } from './failures/http-failure.ts'
import { parseRequestInfo, type RequestInfo } from './request-info.ts'
import { beginningOf } from './response-body.ts'

/** Sends requests to one API server over one shared connection. */
export interface Transport {
  /** Resolves to the body of a success. Throws `HttpFailure` for any other status, and what the network or TLS throws. */
  readonly send: (request: TransportRequest) => Promise<AsyncIterable<Uint8Array>>
  /** Breaks off all requests. */
  readonly close: () => Promise<void>
}

export interface TransportRequest extends Omit<Call, 'maxBytes'> {
  /** The longest time between two parts of the response, milliseconds. */
  readonly idleTimeout: number
  readonly signal: AbortSignal
}

export interface TransportOptions {
  readonly userAgent: string
  readonly timeouts: Timeouts
  /** Called when the response to a request begins, with its HTTP status, or with 0 when there was none. */
  readonly onResponse: (request: RequestInfo, status: number) => void
}

export function openTransport(config: KubeConfig, options: TransportOptions): Transport {
  const { userAgent, timeouts, onResponse } = options
  const shared = sharedDispatcher(config, timeouts)
  const send = async (request: TransportRequest): Promise<AsyncIterable<Uint8Array>> => {
    const { method, path, body, idleTimeout, signal } = request
    const { origin, pathname, search } = new URL(`${config.getCurrentCluster()?.server}${path}`)
    const { headers, tls } = await requestCredentials(config)
    const info = parseRequestInfo(method, path)
    const sending = (await shared.get(tls)).request({
      ...{ origin, path: pathname + search, method, bodyTimeout: idleTimeout, signal },
      headers: { ...headers, ...contentHeaders(request), 'user-agent': userAgent },
      body: body === undefined ? null : JSON.stringify(body)
    })
    const response = await sending.catch((error: unknown) => {
      onResponse(info, 0)
      throw error
    })
    onResponse(info, response.statusCode)
    return await bodyOfSuccess(response, timeouts.idle)
  }
  return { send, close: shared.close }
}

/** A redirect is a failure too: a Kubernetes API sends none. */
async function bodyOfSuccess({ statusCode, headers, body }: Dispatcher.ResponseData, timeout: number) {
  if (statusCode < 300) return body
  throw new HttpFailure(statusCode, await beginningOf(body, timeout), headers)
}

const contentHeaders = ({ body, contentType = 'application/json', accept = 'application/json' }: Call): Record<string, string> =>
  body === undefined ? { accept } : { accept, 'content-type': contentType }

interface SharedDispatcher {
  /** The same dispatcher while the TLS options stay the same; after a rotation a new one, while the old one completes its requests. */
  readonly get: (tls: TlsOptions) => Promise<Dispatcher>
  readonly close: () => Promise<void>
}

function sharedDispatcher(config: KubeConfig, timeouts: Timeouts): SharedDispatcher {
  let current: { readonly tls: TlsOptions; readonly made: Promise<Dispatcher> } | undefined
  const end = async (how: 'close' | 'destroy') => (await current?.made)?.[how]()
  const make = async (tls: TlsOptions) => (await proxyDispatcher(config)) ?? agentFor(tls, timeouts)
  return {
    get: tls => {
      if (current !== undefined && isDeepStrictEqual(current.tls, tls)) return current.made
      end('close').catch(() => undefined) // nothing depends on how the old one ends
      current = { tls, made: make(tls) }
      return current.made
    },
    close: async () => {
      await end('destroy')
      current = undefined
    }
  }
}

/**
 * HTTP/2 carries a watch and other requests at the same time on one connection; with HTTP/1.1 each needs its own. After a timeout undici
 * sends an HTTP/2 PING, and reconnects where the server does not answer it.
 */
const agentFor = (tls: TlsOptions, { connect, idle }: Timeouts): Agent =>
  new Agent({
    allowH2: true,
    connections: 2,
    headersTimeout: idle,
    bodyTimeout: idle,
    // Load balancers drop connections that are idle for 60 s.
    connect: { ...tls, timeout: connect, keepAlive: true, keepAliveInitialDelay: 30_000 }
  })
