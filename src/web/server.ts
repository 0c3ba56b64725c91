import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Status, statusJson } from '../node-sync/status.ts'
import { isOwnHost } from './allowed-hosts.ts'
import { connectionsBefore } from './connections.ts'
import { page, STYLE_HASH } from './page.ts'
import { renderedOnce } from './rendered.ts'

/** Whether it is so, and in one line why (not). */
export interface Health {
  readonly ok: boolean
  readonly because: string
}

/** Where the answers come from; each is asked anew for every request. */
export interface HttpSources {
  readonly metrics: { readonly text: () => Promise<string>; readonly contentType: string }
  /** Whether the loop makes progress. Whether the API can be reached has no part in it: a restart would not bring it back. */
  readonly health: () => Health
  /** Whether the labels were published; asked until it first is so, since a node stays of use when the API goes away. */
  readonly ready: () => Health
  readonly status: () => Status
  /** Told of what a source threw; who asked is told only that there is no answer. */
  readonly failed: (error: unknown) => void
}

export interface HttpServer {
  /** `127.0.0.1:9090`, with the port that was given where 0 was asked for. */
  readonly address: string
  /** Ends within half a second: what has begun is answered. */
  readonly close: () => Promise<void>
}

export interface HttpOptions {
  /** `host:port`, `[::1]:port`, or `:port` for all addresses. */
  readonly listen: string
  readonly sources: HttpSources
}

/** The most bytes that the head of a request may have. */
export const LONGEST_HEAD = 8 * 1024

/** Throws `Error` that names the address, and what is wrong with it. */
export async function startHttp({ listen, sources }: HttpOptions): Promise<HttpServer> {
  const { host, port } = parseListen(listen)
  const answers = answersFrom(sources)
  const handle = (request: IncomingMessage, response: ServerResponse) => respond(request, response, answers, sources.failed)
  const http = createServer({ maxHeaderSize: LONGEST_HEAD }, handle)
  http.on('checkContinue', handle)
  const { server, close } = connectionsBefore(http, LONGEST_HEAD)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(refusal(listen, error), { cause: error })))
    server.listen({ port, ...(host === '' ? {} : { host }) }, resolve)
  })
  server.on('error', sources.failed)
  return { address: addressOf(server.address() as AddressInfo), close }
}

/** What there is at each path. */
type Answers = Readonly<Record<string, () => Answer | Promise<Answer>>>

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
}

const TEXT = 'text/plain; charset=utf-8'

function answersFrom({ metrics, health, ready, status }: HttpSources): Answers {
  let becameReady: Health | undefined
  const [html, json] = [renderedOnce(page), renderedOnce(statusJson)]
  return {
    '/': () => ({ status: 200, type: 'text/html; charset=utf-8', body: html(status()) }),
    '/status.json': () => ({ status: 200, type: 'application/json', body: json(status()) }),
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
    '/healthz': () => probe(health()),
    '/readyz': () => {
      const found = becameReady ?? ready()
      if (found.ok) becameReady = found
      return probe(found)
    }
  }
}

const probe = ({ ok, because }: Health): Answer => ({ status: ok ? 200 : 503, type: TEXT, body: `${because}\n` })

/** The page needs its own style sheet and its icon, and nothing else from anywhere. */
const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src '${STYLE_HASH}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store'
} as const

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answers: Answers,
  failed: HttpSources['failed']
): Promise<void> {
  const { status, type, body } = await answerTo(request, answers).catch((error: unknown) => {
    failed(error)
    return plain(500, 'there is no answer now; the log says why')
  })
  // One request a connection: nothing that follows, a body or a next request, is ever read as one.
  response.setHeader('Connection', 'close')
  if (status === 405) response.setHeader('Allow', 'GET, HEAD')
  response.writeHead(status, { ...HEADERS, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** No answer repeats anything of the request. */
async function answerTo({ method, url = '', headers }: IncomingMessage, answers: Answers): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD')
  if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined) {
    return plain(413, 'a request here has no body')
  }
  const path = url.split('?', 1)[0] as string
  const answer = Object.hasOwn(answers, path) ? answers[path] : undefined
  if (answer === undefined) return plain(404, `there are only ${Object.keys(answers).join(' ')}`)
  return TELLING.has(path) && !isOwnHost(headers.host) ? plain(421, FOREIGN) : await answer()
}

/** What a browser could be made to show to somebody else's page. Probes and metrics are asked for by any name. */
const TELLING: ReadonlySet<string> = new Set(['/', '/status.json'])
const FOREIGN =
  'the Host of this request is not a name of this agent; expected an address, localhost or the name of a Service; try kubectl port-forward'

const plain = (status: number, text: string): Answer => ({ status, type: TEXT, body: `${text}\n` })

/** Throws `Error` that says what was expected. */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, six, plainHost, port] = /^(?:\[([0-9a-f:.%\w]+)\]|([\w.-]*)):(\d{1,5})$/i.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) {
    throw new Error(`cannot listen on "${text}": expected HOST:PORT, [ADDRESS]:PORT or :PORT, with a port from 0 to 65535`)
  }
  return { host: six ?? plainHost ?? '', port: Number(port) }
}

const REFUSALS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has that port; choose another with --listen',
  EACCES: 'this user may not open that port; choose one from 1024 on',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'that host name is not known',
  EAI_AGAIN: 'that host name could not be looked up'
}

const refusal = (listen: string, { code = '', message }: NodeJS.ErrnoException): string =>
  `cannot listen on "${listen}": ${REFUSALS[code] ?? message}`

const addressOf = ({ address, family, port }: AddressInfo): string =>
  family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
