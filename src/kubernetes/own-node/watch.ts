import { ApiError } from '../api-error.ts'
import type { Connection } from '../connection.ts'
import { backoff, type Pace } from '../reconnect-window.ts'
import { MIB } from '../response-body.ts'
import { streamSeconds, type WatchedNode, watchStream } from '../watch-stream.ts'
import { type Restart, restartOf } from './watch-restart.ts'

export interface WatchHandlers {
  /** The Node as it is now, or `undefined` when it was deleted. */
  readonly onNode: (node: WatchedNode | undefined) => void
  /** Called for each event and each bookmark: the server responds. */
  readonly onAlive: () => void
  readonly onRestart: (reason: Restart, error: ApiError | undefined) => void
  /** The watch is broken until the next `onAlive`; the next try comes after a wait. */
  readonly onLost: () => void
}

export interface WatchEnvironment extends Pace {
  readonly signal: AbortSignal
  /** Milliseconds that only grow. */
  readonly clock: { readonly elapsed: () => number }
}

/** Watches one Node until the signal is aborted, whatever the API server does. Resolves then; only bugs are thrown. */
export async function watchNode(
  connection: Connection,
  name: string,
  handlers: WatchHandlers,
  environment: WatchEnvironment
): Promise<void> {
  const { random, sleep, signal, clock } = environment
  const position: Position = { version: '0', failures: 0, hasEvents: false, endsAt: 0 }
  while (!signal.aborted) {
    position.hasEvents = false
    const error = await watchOnce({ connection, name, handlers, environment, position })
    if (signal.aborted) return
    const reason = error === undefined ? 'ended' : restartOf(error)
    handlers.onRestart(reason, error)
    const next = nextTry(position, reason, clock.elapsed())
    // What broke this stream has broken the others too, and a restarted server knows no older version: the current state is one request
    // instead of two.
    if (next !== 'resume') position.version = '0'
    if (next !== 'wait') continue
    // An agent that may not watch may still write.
    if (error?.status !== 403) handlers.onLost()
    position.failures += 1
    await sleep(backoff(position.failures, random, (error?.retryAfter ?? 0) * 1000), signal)
  }
}

/**
 * An agent reconnects at once only where no other agent does at the same moment: a stream that lasted as long as was asked for, and a
 * resourceVersion that the server no longer knows. All else happens to all agents together: a server that is stopped ends its streams
 * without an error too.
 */
function nextTry({ version, hasEvents, endsAt }: Position, reason: Restart, now: number): 'resume' | 'relist' | 'wait' {
  if (reason === 'ended' && hasEvents && now >= endsAt) return 'resume'
  return reason === 'expired' && !hasEvents && version !== '0' ? 'relist' : 'wait'
}

/** Where the watch is. */
interface Position {
  /** The server sends what changed since this resourceVersion; '0' is its current state. */
  version: string
  /** Failures in a row. */
  failures: number
  /** An event came on this stream. */
  hasEvents: boolean
  /** When the server was asked to end the stream (milliseconds), less `CLOCK_DIFFERENCE`. */
  endsAt: number
}

/** Milliseconds: the server counts from when the request arrives, and its clock may be faster than ours. */
const CLOCK_DIFFERENCE = 2_000

/** Twenty changes a second of a Node of 20 kB, for ten minutes. */
const STREAM_BYTES = 256 * MIB

interface Stream {
  readonly connection: Connection
  readonly name: string
  readonly handlers: WatchHandlers
  readonly environment: WatchEnvironment
  readonly position: Position
}

/** One stream until it ends. Resolves to what broke it, or to `undefined` when the server ended it without an error. */
async function watchOnce({ connection, name, handlers, environment, position }: Stream): Promise<ApiError | undefined> {
  const { random, signal, clock } = environment
  const seconds = streamSeconds(random)
  position.endsAt = clock.elapsed() + seconds * 1000 - CLOCK_DIFFERENCE
  const watch = { query: queryFor(name, position.version), seconds, maxBytes: STREAM_BYTES, signal }
  const purpose = { action: `watch the Node "${name}"`, ifNotFound: '' }
  try {
    for await (const event of watchStream(connection, purpose, watch)) {
      // From version 0 the server sends the Node before any bookmark, so a Node that it does not send was deleted meanwhile.
      const isGone = event.type === 'BOOKMARK' && position.version === '0'
      position.failures = 0
      position.hasEvents = true
      position.version = event.object.metadata.resourceVersion
      handlers.onAlive()
      if (isGone || event.type === 'DELETED') handlers.onNode(undefined)
      else if (event.type !== 'BOOKMARK') handlers.onNode(event.object)
    }
    return undefined
  } catch (error) {
    if (signal.aborted) return undefined
    if (error instanceof ApiError) return error
    throw error
  }
}

const queryFor = (name: string, version: string): URLSearchParams =>
  new URLSearchParams({
    ...{ watch: '1', fieldSelector: `metadata.name=${name}` },
    ...{ resourceVersion: version, allowWatchBookmarks: 'true' }
  })
