import { ApiError } from '../api-error.ts'
import { LIST_BYTES } from '../call.ts'
import type { Connection } from '../connection.ts'
import type { V1Node } from '../models.ts'
import { MIB } from '../response-body.ts'
import { type Waiting, withRetries } from '../retry.ts'
import { jsonItems } from './json-items.ts'
import { pages } from './pages.ts'

const PATH = '/api/v1/nodes'
const PURPOSE = { action: 'list the Nodes', ifNotFound: 'check the URL of the server' }

interface NodeList {
  readonly metadata?: { readonly continue?: string }
  readonly items?: readonly V1Node[]
}

export interface NodePaging {
  /** Nodes a page, each of them about 20 kB. */
  readonly limit: number
  readonly waiting: Waiting
}

/**
 * All Nodes of the cluster, page by page, so that 15,000 of them are never in memory at once. Where the API server forgets its place in
 * the list, the list begins again, and Nodes come twice. Throws `ApiError`.
 */
export async function* pagesOfNodes(connection: Connection, { limit, waiting }: NodePaging): AsyncGenerator<readonly V1Node[]> {
  const read = (path: string) =>
    withRetries(() => connection.call<NodeList>(PURPOSE, { method: 'GET', path, maxBytes: LIST_BYTES }), waiting)
  for await (const { items } of pages({ path: PATH, limit, read, restarts: Number.POSITIVE_INFINITY })) yield items ?? []
}

export interface Listing extends NodePaging {
  readonly signal: AbortSignal
  /** Called with each Node as it arrives; nothing is kept here. A page that broke off is read again, and its Nodes come twice. */
  readonly onNode: (node: V1Node) => void
  /** The list begins again: the Nodes so far no longer count. */
  readonly onRestart: () => void
}

/** A caller that is too slow for the API server three times is too slow. */
const RESTARTS = 3

/** The server may have to read a whole page from etcd first (milliseconds). */
const IDLE_TIMEOUT = 30_000

/** Of one page: a continue token expires after five minutes, and 500 Nodes with many images each are 50 MB. */
const PAGE = { idleTimeout: IDLE_TIMEOUT, totalTimeout: 300_000, maxBytes: 256 * MIB }

/**
 * Reads all Nodes of the cluster one at a time: 15,000 of them are 300 MB, of which only what `onNode` keeps stays in memory. Resolves to
 * the resourceVersion of the list, from which a watch can continue. Throws `ApiError`.
 */
export async function listNodes(connection: Connection, listing: Listing): Promise<string> {
  const { limit, waiting, onRestart } = listing
  const read = (path: string) => withRetries(() => streamPage(connection, path, listing), waiting)
  let version = ''
  for await (const { metadata } of pages({ path: PATH, limit, read, restarts: RESTARTS, onRestart })) {
    version = metadata.resourceVersion
  }
  return version
}

interface StreamedPage {
  readonly metadata: Readonly<Record<'continue' | 'resourceVersion', string>>
}

async function streamPage(connection: Connection, path: string, { signal, onNode }: Listing): Promise<StreamedPage> {
  const reader = jsonItems(item => onNode(item as V1Node))
  for await (const piece of await connection.stream(PURPOSE, { method: 'GET', path, ...PAGE, signal })) {
    orInvalid(() => reader.push(piece))
  }
  const { kind, metadata } = (orInvalid(reader.end) ?? {}) as {
    kind?: unknown
    metadata?: Partial<StreamedPage['metadata']> | null
  }
  if (kind !== 'NodeList') throw invalid('something that is not a list of Nodes')
  return { metadata: { continue: metadata?.continue ?? '', resourceVersion: metadata?.resourceVersion ?? '' } }
}

/** Where the response is not JSON, the failure is the server's. */
function orInvalid<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalid(`something that is not a list (${error.message.slice(0, 100)})`)
  }
}

const invalid = (what: string): ApiError =>
  new ApiError(`cannot list the Nodes: the server responded with ${what}`, { code: 'INVALID_RESPONSE' })
