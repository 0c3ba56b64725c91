import { METADATA_ONLY } from '../call.ts'
import type { Connection } from '../connection.ts'
import { MIB } from '../response-body.ts'
import { watchStream } from '../watch-stream.ts'

/** The API server sends the existing Nodes at once. */
const SECONDS = 5

/** Only the first Node is read, and the API server sends several at once. */
const FIRST_EVENTS = 8 * MIB

/**
 * The name of some other Node; `undefined` where there is none. An invented name would prove nothing, since a patch of a Node that does
 * not exist gets 404 before any policy is asked; and berth may not list Nodes. It may watch them, and a watch begins with those that
 * exist.
 */
export async function anotherNode(connection: Connection, own: string, signal: AbortSignal): Promise<string | undefined> {
  const query = new URLSearchParams({ watch: '1', fieldSelector: `metadata.name!=${own}`, resourceVersion: '0' })
  const purpose = { action: 'find another Node', ifNotFound: '' }
  const watch = { query, seconds: SECONDS, maxBytes: FIRST_EVENTS, signal, accept: METADATA_ONLY }
  for await (const { type, object } of watchStream(connection, purpose, watch)) {
    if (type !== 'DELETED' && type !== 'BOOKMARK') return object.metadata?.name
  }
  return undefined
}
