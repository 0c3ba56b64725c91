import type { V1Node } from '@kubernetes/client-node/dist/gen/models/V1Node.js'
import { ApiError, type Question } from './api-error.ts'
import type { Connection } from './connection.ts'

/** What a watch of Nodes tells. Of a bookmark's object only the version is there. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: V1Node
}

export interface Watched {
  /** Without `/api/v1/nodes?`. */
  readonly query: URLSearchParams
  readonly signal: AbortSignal
  /** Of the objects; whole ones where it is not said. */
  readonly accept?: string
}

/** A bookmark comes about once a minute; a stream that is silent for longer than two of them is dead (milliseconds). */
const SILENCE = 150_000

/** The events of one stream to its end. Throws `ApiError`, also where the server ends the stream by an error in it. */
export async function* watchEvents(
  connection: Connection,
  question: Pick<Question, 'tried' | 'whenMissing'>,
  { query, signal, ...form }: Watched
): AsyncGenerator<WatchEvent> {
  const path = `/api/v1/nodes?${query}`
  for await (const line of lines(await connection.open(question, { method: 'GET', path, silence: SILENCE, signal, ...form }))) {
    const { type, object } = parseEvent(line)
    if (type === 'ERROR') throw refused(object)
    yield { type, object }
  }
}

/** A line may come in pieces, and a piece may end inside a character. */
async function* lines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of pieces) {
    const [...whole] = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = whole.pop() ?? ''
    yield* whole.filter(line => line !== '')
    if (rest.length > LONGEST_LINE)
      throw new ApiError('the watch answered with a line that does not end', { code: 'GARBAGE', transient: true })
  }
}

/** etcd holds no object larger than 1.5 MiB. */
const LONGEST_LINE = 4 * 1024 * 1024

interface Line {
  readonly type: WatchEvent['type'] | 'ERROR'
  readonly object: V1Node & { readonly code?: number; readonly message?: string }
}

/** Throws `ApiError` on what is no watch event: a proxy in between may answer anything. */
function parseEvent(line: string): Line {
  try {
    const event = JSON.parse(line) as Line
    if (isEvent(event)) return event
  } catch {
    // Told below, in one way for everything that is no event.
  }
  throw new ApiError('the watch answered with something that is no event', { code: 'GARBAGE', transient: true })
}

/** The server's own word is taken for what follows only where it is whole: a bookmark has a version, a Node a name besides. */
function isEvent({ type, object }: Line): boolean {
  if (typeof object !== 'object' || object === null) return false
  if (type === 'ERROR') return true
  const { name, resourceVersion } = object.metadata ?? {}
  if (typeof resourceVersion !== 'string' || !/^\d+$/.test(resourceVersion)) return false
  return type === 'BOOKMARK' || (['ADDED', 'MODIFIED', 'DELETED'].includes(type) && typeof name === 'string' && name !== '')
}

const refused = ({ code, message }: Line['object']): ApiError =>
  new ApiError(`the API server ended the watch: ${message ?? 'it gave no reason'}`, { status: code ?? 500, transient: true })
