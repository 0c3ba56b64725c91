import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Status, statusJson } from '../node-sync/status.ts'
import { isOwnHost } from './allowed-hosts.ts'
import { connectionsBefore } from './connections.ts'
import { page, STYLE_HASH } from './page.ts'
import { renderedOnce } from './rendered.ts'

/** A state and the reason for it, in one line. */
export interface Health {
  readonly ok: boolean
  readonly because: string
}

/** The sources of the responses, called for every request. */
export interface HttpSources {
  readonly metrics: { readonly text: () => Promise<string>; readonly contentType: string }
  /** Whether the loop makes progress. It does not depend on the API: a restart of the agent would not make the API reachable. */
  readonly health: () => Health
  /** Whether the labels are published. Called until it is first true: the node stays usable when the API fails later. */
  readonly ready: () => Health
  readonly status: () => Status
  /** Called with the error of a source. The client only learns that there is an error. */
  readonly failed: (error: unknown) => void
}

export interface HttpServer {
  /** `127.0.0.1:9090`, with the actual port if port 0 was requested. */
  readonly address: string
  /** Ends within half a second; requests that have arrived are answered. */
  readonly close: () => Promise<void>
}

export interface HttpOptions {
  /** `host:port`, `[::1]:port`, or `:port` for all addresses. */
  readonly listen: string
  readonly sources: HttpSources
}

/** The longest head of a request (bytes). */
export const LONGEST_HEAD = 8 * 1024

/** Throws an `Error` that names the address and the problem. */
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

/** The response for each path. */
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

/** The page loads only its own style sheet and icon. */
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
    return plain(500, 'internal error; see the log of the agent')
  })
  // One request for each connection: data that follows is never parsed as a body or as another request.
  response.setHeader('Connection', 'close')
  if (status === 405) response.setHeader('Allow', 'GET, HEAD')
  response.writeHead(status, { ...HEADERS, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** No response repeats any part of the request. */
async function answerTo({ method, url = '', headers }: IncomingMessage, answers: Answers): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD are allowed')
  if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined) {
    return plain(413, 'a request must not have a body')
  }
  const path = url.split('?', 1)[0] as string
  const answer = Object.hasOwn(answers, path) ? answers[path] : undefined
  if (answer === undefined) return plain(404, `not found; the paths are ${Object.keys(answers).join(' ')}`)
  return PRIVATE.has(path) && !isOwnHost(headers.host) ? plain(421, FOREIGN) : await answer()
}

/** Paths that DNS rebinding must not expose to another site. Probes and metrics are served for any name. */
const PRIVATE: ReadonlySet<string> = new Set(['/', '/status.json'])
const FOREIGN =
  'the Host of this request is not a name of this agent; expected an address, localhost or the name of a Service; try kubectl port-forward'

const plain = (status: number, text: string): Answer => ({ status, type: TEXT, body: `${text}\n` })

/** Throws an `Error` that says what was expected. */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, six, plainHost, port] = /^(?:\[([0-9a-f:.%\w]+)\]|([\w.-]*)):(\d{1,5})$/i.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) {
    throw new Error(`cannot listen on "${text}": expected HOST:PORT, [ADDRESS]:PORT or :PORT, with a port from 0 to 65535`)
  }
  return { host: six ?? plainHost ?? '', port: Number(port) }
}

const REFUSALS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses that port; choose another with --listen',
  EACCES: 'this user may not open that port; choose one from 1024 on',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'that host name is not known',
  EAI_AGAIN: 'the lookup of that host name failed'
}

const refusal = (listen: string, { code = '', message }: NodeJS.ErrnoException): string =>
  `cannot listen on "${listen}": ${REFUSALS[code] ?? message}`

const addressOf = ({ address, family, port }: AddressInfo): string =>
  family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
