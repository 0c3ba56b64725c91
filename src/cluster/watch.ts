import type { V1Node } from '@kubernetes/client-node/dist/gen/models/V1Node.js'
import { ApiError } from './api-error.ts'
import { backoff, type Pace } from './backoff.ts'
import type { Connection } from './connection.ts'
import { watchEvents } from './watch-events.ts'

/** Why a watch had to be opened again. */
export type Restart = 'ended' | 'expired' | 'throttled' | 'refused' | 'server' | 'silent' | 'network'

export interface WatchHandlers {
  /** The Node as it is now, or `undefined` when it was deleted. */
  readonly onNode: (node: V1Node | undefined) => void
  /** The server says that it lives: an event or a bookmark came. */
  readonly onAlive: () => void
  readonly onRestart: (reason: Restart, error: ApiError | undefined) => void
}

export interface WatchTerms extends Pace {
  readonly signal: AbortSignal
}

/** Watches one Node until the signal is aborted, whatever the API server does. Resolves then; only bugs escape. */
export async function watchNode(connection: Connection, name: string, handlers: WatchHandlers, terms: WatchTerms): Promise<void> {
  const { random, sleep, signal } = terms
  // Where the stream stands: resumed from there, the server sends only what came after it.
  const place = { version: '0', failures: 0, told: false }
  while (!signal.aborted) {
    place.told = false
    const error = await watchOnce(connection, name, handlers, { ...terms, place })
    if (signal.aborted) return
    const reason = error === undefined ? 'ended' : restartOf(error)
    handlers.onRestart(reason, error)
    // The server has forgotten that version, as each does that was started anew. It is there: begin at once with what it has now.
    const isForgotten = reason === 'expired' && place.version !== '0'
    if (isForgotten) place.version = '0'
    // A stream that ended before it said anything (a proxy's empty answer) is no better than a failure.
    if (isForgotten || (error === undefined && place.told)) continue
    place.failures += 1
    await sleep(backoff(place.failures, random, (error?.retryAfter ?? 0) * 1000), signal)
  }
}

interface Place {
  version: string
  /** Failures in a row. */
  failures: number
  /** An event came on this stream. */
  told: boolean
}

/** One stream to its end. Resolves to what broke it, or to `undefined` when the server ended it in good order. */
async function watchOnce(
  connection: Connection,
  name: string,
  { onNode, onAlive }: WatchHandlers,
  { random, signal, place }: WatchTerms & { readonly place: Place }
): Promise<ApiError | undefined> {
  const query = queryFor(name, place.version, random)
  const question = { tried: `watch the Node "${name}"`, whenMissing: '' }
  try {
    for await (const { type, object } of watchEvents(connection, question, { query, signal })) {
      place.failures = 0
      place.told = true
      place.version = object.metadata?.resourceVersion ?? '0'
      onAlive()
      if (type !== 'BOOKMARK') onNode(type === 'DELETED' ? undefined : object)
    }
    return undefined
  } catch (error) {
    if (signal.aborted) return undefined
    if (error instanceof ApiError) return error
    throw error
  }
}

const queryFor = (name: string, version: string, random: () => number): URLSearchParams =>
  new URLSearchParams({
    watch: '1',
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: version,
    allowWatchBookmarks: 'true',
    // Spread, so that agents that began together do not come back together.
    timeoutSeconds: String(Math.round(300 + random() * 300))
  })

function restartOf({ status, code, message }: ApiError): Restart {
  // A cluster that was restored from a backup counts anew from an older version, and has not heard of ours.
  if (status === 410 || /too large resource version/i.test(message)) return 'expired'
  if (status === 429) return 'throttled'
  if (status >= 500) return 'server'
  if (status >= 400) return 'refused'
  return /TIMEOUT/i.test(code) ? 'silent' : 'network'
}
