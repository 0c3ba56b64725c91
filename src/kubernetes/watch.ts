import { ApiError } from './api-error.ts'
import { backoff, type Pace } from './backoff.ts'
import { MIB } from './bounded.ts'
import type { Connection } from './connection.ts'
import { type WatchedNode, watchEvents } from './watch-events.ts'

/** Why a watch had to be opened again. */
export type Restart = 'ended' | 'expired' | 'throttled' | 'refused' | 'server' | 'silent' | 'network'

export interface WatchHandlers {
  /** The Node as it is now, or `undefined` when it was deleted. */
  readonly onNode: (node: WatchedNode | undefined) => void
  /** The server says that it lives: an event or a bookmark came. */
  readonly onAlive: () => void
  readonly onRestart: (reason: Restart, error: ApiError | undefined) => void
  /** The server is not heard for a while, and the next try waits. The first sign of life ends it. */
  readonly onLost: () => void
}

export interface WatchTerms extends Pace {
  readonly signal: AbortSignal
  /** Milliseconds that only grow. */
  readonly clock: { readonly elapsed: () => number }
}

/** Watches one Node until the signal is aborted, whatever the API server does. Resolves then; only bugs escape. */
export async function watchNode(connection: Connection, name: string, handlers: WatchHandlers, terms: WatchTerms): Promise<void> {
  const { random, sleep, signal } = terms
  // Where the stream stands: resumed from there, the server sends only what came after it.
  const place: Place = { version: '0', failures: 0, told: false, until: 0 }
  while (!signal.aborted) {
    place.told = false
    const error = await watchOnce(connection, name, handlers, { ...terms, place })
    if (signal.aborted) return
    const reason = error === undefined ? 'ended' : restartOf(error)
    handlers.onRestart(reason, error)
    const next = nextTry(place, reason, terms.clock.elapsed())
    // What broke a stream has broken all others too, and a server that was started anew has forgotten every version: begin with what it
    // has now, which is one request in place of two.
    if (next !== 'resume') place.version = '0'
    if (next !== 'later') continue
    // Who may not watch may still write.
    if (error?.status !== 403) handlers.onLost()
    place.failures += 1
    await sleep(backoff(place.failures, random, (error?.retryAfter ?? 0) * 1000), signal)
  }
}

/**
 * At once comes only who is alone with it: a stream that lived out the time of its own that it was given, and a version that was asked
 * for and is forgotten. All else happens to all agents in one moment: a server that is stopped ends its streams in good order too.
 */
function nextTry({ version, told, until }: Place, reason: Restart, now: number): 'resume' | 'anew' | 'later' {
  if (reason === 'ended' && told && now >= until) return 'resume'
  return reason === 'expired' && !told && version !== '0' ? 'anew' : 'later'
}

interface Place {
  version: string
  /** Failures in a row. */
  failures: number
  /** An event came on this stream. */
  told: boolean
  /** When the server was asked to end it (milliseconds), less what the clocks of two machines may differ. */
  until: number
}

/** Milliseconds: the server counts from when it hears of the stream, and a clock may be slower than another. */
const EARLY = 2_000

/** Of one stream: twenty changes a second of a Node of 20 kB, for ten minutes. */
const MOST = 256 * MIB

/** One stream to its end. Resolves to what broke it, or to `undefined` when the server ended it in good order. */
async function watchOnce(
  connection: Connection,
  name: string,
  { onNode, onAlive }: WatchHandlers,
  { random, signal, clock, place }: WatchTerms & { readonly place: Place }
): Promise<ApiError | undefined> {
  // Spread, so that agents that began together do not come back together.
  const seconds = Math.round(300 + random() * 300)
  place.until = clock.elapsed() + seconds * 1000 - EARLY
  const watched = { query: queryFor(name, place.version), seconds, most: MOST, signal }
  const question = { tried: `watch the Node "${name}"`, whenMissing: '' }
  try {
    for await (const event of watchEvents(connection, question, watched)) {
      // Asked from the beginning, the server tells of the Node first, so that one of which it does not tell was deleted meanwhile.
      const isGone = event.type === 'BOOKMARK' && place.version === '0'
      place.failures = 0
      place.told = true
      place.version = event.object.metadata.resourceVersion
      onAlive()
      if (isGone || event.type === 'DELETED') onNode(undefined)
      else if (event.type !== 'BOOKMARK') onNode(event.object)
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
    watch: '1',
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: version,
    allowWatchBookmarks: 'true'
  })

function restartOf({ status, code, message }: ApiError): Restart {
  // A cluster that was restored from a backup counts anew from an older version, and has not heard of ours.
  if (status === 410 || /too large resource version/i.test(message)) return 'expired'
  if (status === 429) return 'throttled'
  if (status >= 500) return 'server'
  if (status >= 400) return 'refused'
  return /TIMEOUT/i.test(code) ? 'silent' : 'network'
}
