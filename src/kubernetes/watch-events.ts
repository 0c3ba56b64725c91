import * as z from 'zod/mini'
import { checkJson } from '../host/schema.ts'
import { NODE } from './answer.ts'
import { ApiError, type Question } from './api-error.ts'
import type { Connection } from './connection.ts'

/** A Node as a watch tells it: what an agent looks at is checked, and of the rest nothing is sure. */
export type WatchedNode = z.infer<typeof NODE>

/** What a watch of Nodes tells. Of a bookmark's object only the version is there. */
export type WatchEvent = Exclude<z.infer<typeof EVENT>, { readonly type: 'ERROR' }>

export interface Watched {
  /** Without `/api/v1/nodes?`. */
  readonly query: URLSearchParams
  /** The server is asked to end the stream after so many seconds. */
  readonly seconds: number
  /** Of the whole stream, bytes. */
  readonly most: number
  readonly signal: AbortSignal
  /** Of the objects; whole ones where it is not said. */
  readonly accept?: string
}

/** A bookmark comes about once a minute; a stream that is silent for longer than two of them is dead (milliseconds). */
const SILENCE = 150_000

/** A server that does not end a stream when it was asked to is not waited for much longer (milliseconds). */
const LATE = 30_000

/** The events of one stream to its end. Throws `ApiError`, also where the server ends the stream by an error in it. */
export async function* watchEvents(
  connection: Connection,
  question: Pick<Question, 'tried' | 'whenMissing'>,
  { query, seconds, most, signal, ...form }: Watched
): AsyncGenerator<WatchEvent> {
  const path = `/api/v1/nodes?${query}&timeoutSeconds=${seconds}`
  const limits = { silence: SILENCE, longest: seconds * 1000 + LATE, most }
  for await (const line of lines(await connection.open(question, { method: 'GET', path, ...limits, signal, ...form }))) {
    const event = parseEvent(line)
    if (event.type === 'ERROR') throw refused(event.object)
    yield event
  }
}

/** A line may come in pieces, and a piece may end inside a character. */
async function* lines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of pieces) {
    const text = decoder.decode(piece, { stream: true })
    rest += text
    if (text.includes('\n')) {
      const whole = rest.split('\n')
      rest = whole.pop() ?? ''
      yield* whole.filter(line => line !== '')
    }
    if (rest.length > LONGEST_LINE)
      throw new ApiError('the watch answered with a line that does not end', { code: 'GARBAGE', transient: true })
  }
}

/** etcd holds no object larger than 1.5 MiB. */
const LONGEST_LINE = 4 * 1024 * 1024

const VERSION = z.string('a text').check(z.regex(/^\d+$/, 'a number as a text'))

/** An event is believed only where it is whole: a bookmark has a version, a Node a name besides. */
const EVENT = z.discriminatedUnion(
  'type',
  [
    z.object({
      type: z.literal('ERROR'),
      object: z.object({ code: z.catch(z.int(), 500), message: z.catch(z.string(), 'it gave no reason') }, 'an object')
    }),
    z.object({
      type: z.literal('BOOKMARK'),
      object: z.looseObject({ metadata: z.looseObject({ resourceVersion: VERSION }, 'an object') }, 'an object')
    }),
    z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED']), object: NODE })
  ],
  'an event'
)

/** Throws `ApiError` on what is no watch event: a proxy in between may answer anything. */
function parseEvent(line: string): z.infer<typeof EVENT> {
  const form = checkJson(EVENT, line, 'the line')
  if (form.ok) return form.value
  const why = `the watch answered with something that is no event: ${form.why}`
  throw new ApiError(why, { code: 'GARBAGE', transient: true })
}

const refused = ({ code, message }: { readonly code: number; readonly message: string }): ApiError =>
  new ApiError(`the API server ended the watch: ${message.slice(0, 400)}`, { status: code, transient: true })
