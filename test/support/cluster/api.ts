import { readFileSync } from 'node:fs'
import { request } from 'node:https'

/** Where an API server is and what proves that it is the one. */
export interface Endpoint {
  readonly url: string
  readonly ca: string
}

/** Who asks: the holder of a bearer token or of a client certificate (paths of PEM files). */
export type Credentials = { readonly token: string } | { readonly certFile: string; readonly keyFile: string }

/** `body` is the parsed JSON, or the text where the server sends none (`/readyz`). */
export interface Answer<T> {
  readonly status: number
  readonly body: T
}

/** One request, on a connection of its own: nothing stale survives a crash of the server. A PATCH is a merge patch by default. */
export type Api = <T = unknown>(method: string, path: string, body?: unknown, contentType?: string) => Promise<Answer<T>>

const patience = 30_000 // milliseconds: a frozen server must fail a test, not hang it

/** Deliberately not berth's own connection: a test that checks a client must not look through the same client. */
export function apiOf(endpoint: Endpoint, credentials: Credentials): Api {
  const identity =
    'token' in credentials
      ? { headers: { authorization: `Bearer ${credentials.token}` } }
      : { headers: {}, cert: readFileSync(credentials.certFile), key: readFileSync(credentials.keyFile) }
  return <T>(method: string, path: string, body?: unknown, contentType = defaultType(method)) => {
    const headers = {
      ...identity.headers,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': contentType })
    }
    const options = { ...identity, headers, method, ca: endpoint.ca, agent: false, signal: AbortSignal.timeout(patience) }
    return exchange<T>(new URL(path, endpoint.url), options, body)
  }
}

/** The body of an answer that must be a success; otherwise an error that quotes the API server's own message. */
export async function succeeded<T>(what: string, answer: Promise<Answer<T>>): Promise<T> {
  const { status, body } = await answer
  if (status >= 200 && status < 300) return body
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : body
  throw new Error(`${what}: the API server answered ${status}: ${message}`)
}

function defaultType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
}

function exchange<T>(url: URL, options: Parameters<typeof request>[1], body: unknown): Promise<Answer<T>> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, incoming => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = incoming.headers['content-type']?.startsWith('application/json')
        resolve({ status: incoming.statusCode ?? 0, body: (isJson ? JSON.parse(text) : text) as T })
      })
    })
    outgoing.on('error', error => {
      reject(error.name === 'AbortError' ? new Error(`${url} gave no answer in ${patience / 1000} s`, { cause: error }) : error)
    })
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
