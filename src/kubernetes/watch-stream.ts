import * as z from 'zod/mini'
import { checkJson } from '../host/schema.ts'
import { ApiError, type Purpose } from './api-error.ts'
import type { Connection } from './connection.ts'
import { readLines } from './lines.ts'
import { WATCHED_NODE } from './response-schema.ts'

/** A Node as a watch sends it: the fields that an agent uses are checked, the others are not. */
export type WatchedNode = z.infer<typeof WATCHED_NODE>

/** An event of a watch of Nodes. The object of a bookmark has only a resourceVersion. */
export type WatchEvent = Exclude<z.infer<typeof EVENT>, { readonly type: 'ERROR' }>

export interface WatchQuery {
  /** Without `/api/v1/nodes?`, and without `timeoutSeconds`. */
  readonly query: URLSearchParams
  /** The server is asked to end the stream after this time. */
  readonly seconds: number
  /** Of the whole stream. */
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Of the objects; whole ones by default. */
  readonly accept?: string
}

/** How long a stream should last, in seconds: five to ten minutes, so that agents that began together do not come back together. */
export const streamSeconds = (random: () => number): number => Math.round(300 + random() * 300)

/** Bookmarks come about once a minute; a stream without any data for more than two of them is broken (milliseconds). */
const IDLE_TIMEOUT = 150_000

/** How long after `seconds` a stream that the server did not end is broken off (milliseconds). */
const GRACE = 30_000

/** The events of one stream until it ends. Throws `ApiError`, also where the server ends the stream with an error event. */
export async function* watchStream(
  connection: Connection,
  purpose: Purpose,
  { query, seconds, ...call }: WatchQuery
): AsyncGenerator<WatchEvent> {
  const path = `/api/v1/nodes?${query}&timeoutSeconds=${seconds}`
  const timeouts = { idleTimeout: IDLE_TIMEOUT, totalTimeout: seconds * 1000 + GRACE }
  for await (const line of readLines(await connection.stream(purpose, { method: 'GET', path, ...timeouts, ...call }))) {
    const event = parseEvent(line)
    if (event.type === 'ERROR') throw endedWith(event.object)
    yield event
  }
}

const VERSION = z.string('a text').check(z.regex(/^\d+$/, 'a number as a text'))

/** A bookmark must have a resourceVersion, and a Node a name too. */
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
    z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED']), object: WATCHED_NODE })
  ],
  'an event'
)

/** Throws `ApiError` for a line that is not a watch event: a proxy in between may send anything. */
function parseEvent(line: string): z.infer<typeof EVENT> {
  const form = checkJson(EVENT, line, 'the line')
  if (form.ok) return form.value
  throw new ApiError(`the watch sent something that is not an event: ${form.why}`, { code: 'INVALID_RESPONSE', transient: true })
}

const endedWith = ({ code, message }: { readonly code: number; readonly message: string }): ApiError =>
  new ApiError(`the API server ended the watch: ${message.slice(0, 400)}`, { status: code, transient: true })
