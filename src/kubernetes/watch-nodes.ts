import type { V1Node } from '@kubernetes/client-node/dist/gen/models/V1Node.js'
import { ApiError } from './api-error.ts'
import { MIB } from './bounded.ts'
import type { Connection } from './connection.ts'
import { watchEvents } from './watch-events.ts'

export interface NodesWatch {
  readonly signal: AbortSignal
  /** From 0 up to 1. */
  readonly random: () => number
  readonly onNode: (node: V1Node, isDeleted: boolean) => void
}

/**
 * Tells every change of any Node since that version of the list, for as long as the server goes on from there, and then throws
 * `ApiError`: who wants more lists anew. Resolves when the signal is aborted.
 */
export async function watchNodes(connection: Connection, since: string, { signal, random, onNode }: NodesWatch): Promise<void> {
  for (let version = since; !signal.aborted; ) {
    let isTold = false
    const seconds = Math.round(300 + random() * 300)
    const watched = { query: queryFor(version), seconds, most: MOST, signal }
    try {
      for await (const event of watchEvents(connection, WATCH, watched)) {
        isTold = true
        version = event.object.metadata.resourceVersion
        if (event.type !== 'BOOKMARK') onNode(event.object as unknown as V1Node, event.type === 'DELETED')
      }
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    // The server ends a stream after some minutes; one that ends before it said anything was ended by somebody else.
    if (!isTold && !signal.aborted) throw new ApiError('the watch of the Nodes ended at once', { transient: true })
  }
}

/** Of one stream: 15,000 Nodes, each of them changed every minute for ten minutes. */
const MOST = 4096 * MIB

const WATCH = { tried: 'watch the Nodes', whenMissing: 'check the URL of the server' }

const queryFor = (version: string): URLSearchParams =>
  new URLSearchParams({
    watch: '1',
    resourceVersion: version,
    allowWatchBookmarks: 'true'
  })
