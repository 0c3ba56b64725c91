import { ApiError } from '../api-error.ts'
import type { Connection } from '../connection.ts'
import type { V1Node } from '../models.ts'
import { MIB } from '../response-body.ts'
import { streamSeconds, watchStream } from '../watch-stream.ts'

export interface NodesWatch {
  readonly signal: AbortSignal
  /** From 0 up to 1. */
  readonly random: () => number
  readonly onNode: (node: V1Node, isDeleted: boolean) => void
}

/**
 * Reports every change of any Node since that resourceVersion of the list, for as long as the server can continue from there, and then
 * throws `ApiError`: the caller lists again. Resolves when the signal is aborted.
 */
export async function watchNodes(connection: Connection, since: string, { signal, random, onNode }: NodesWatch): Promise<void> {
  for (let version = since; !signal.aborted; ) {
    let hasEvents = false
    const watch = { query: queryFor(version), seconds: streamSeconds(random), maxBytes: STREAM_BYTES, signal }
    try {
      for await (const event of watchStream(connection, PURPOSE, watch)) {
        hasEvents = true
        version = event.object.metadata.resourceVersion
        if (event.type !== 'BOOKMARK') onNode(event.object as unknown as V1Node, event.type === 'DELETED')
      }
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    // The server ends a stream after some minutes; one that ends without any event was ended by something in between.
    if (!hasEvents && !signal.aborted) throw new ApiError('the watch of the Nodes ended at once', { transient: true })
  }
}

/** 15,000 Nodes, each of them changed every minute for ten minutes. */
const STREAM_BYTES = 4096 * MIB

const PURPOSE = { action: 'watch the Nodes', ifNotFound: 'check the URL of the server' }

const queryFor = (version: string): URLSearchParams =>
  new URLSearchParams({ watch: '1', resourceVersion: version, allowWatchBookmarks: 'true' })
