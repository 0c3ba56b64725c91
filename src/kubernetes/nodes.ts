import type { V1Node } from '@kubernetes/client-node/dist/gen/models/V1Node.js'
import { ApiError } from './api-error.ts'
import { MIB } from './bounded.ts'
import { type Connection, LIST as LIST_SIZE } from './connection.ts'
import { listReader } from './list-reader.ts'
import { FIELD_MANAGER, METADATA_ONLY, type Metadata, type MetadataPatch, metadataIn } from './own-node.ts'
import { type Waiting, withRetries } from './retry.ts'

interface NodeList {
  readonly metadata?: { readonly continue?: string }
  readonly items?: readonly V1Node[]
}

export interface Paging {
  /** Nodes a page, each of them about 20 kB. */
  readonly limit: number
  readonly waiting: Waiting
}

/**
 * All Nodes of the cluster, page by page, so that 15,000 of them are never in memory at once. The API server forgets its place in the
 * list after some minutes (410); then it all begins again, and Nodes come twice. Throws `ApiError`.
 */
export async function* pagesOfNodes(connection: Connection, { limit, waiting }: Paging): AsyncGenerator<readonly V1Node[]> {
  let place = ''
  for (;;) {
    const page = await withRetries(() => readPage(connection, limit, place), waiting).catch((error: unknown) => {
      if (place !== '' && error instanceof ApiError && error.status === 410) return undefined
      throw error
    })
    if (page !== undefined) yield page.items ?? []
    place = page?.metadata?.continue ?? ''
    if (page !== undefined && place === '') return
  }
}

function readPage(connection: Connection, limit: number, place: string): Promise<NodeList> {
  return connection.call<NodeList>(LIST, { method: 'GET', path: pathOfPage(limit, place), most: LIST_SIZE })
}

const LIST = { tried: 'list the Nodes', whenMissing: 'check the URL of the server' }

const pathOfPage = (limit: number, place: string): string =>
  `/api/v1/nodes?${new URLSearchParams({ limit: String(limit), ...(place === '' ? {} : { continue: place }) })}`

export interface Listing extends Paging {
  readonly signal: AbortSignal
  /** Each Node as it comes: what is kept of it is the caller's matter. A page that broke off comes again, and so do its Nodes. */
  readonly onNode: (node: V1Node) => void
  /** The list begins anew, and what was told of it is void. */
  readonly onRestart: () => void
}

/** The API server forgets a place in a list after some minutes. Who is that slow three times will not get through. */
const RESTARTS = 3

/** Milliseconds between two parts of an answer; the server may have to read a whole page from etcd first. */
const SILENCE = 30_000

/** Of one page: the API server forgets its place in a list after five minutes. Of 500 Nodes with many images each is 50 MB. */
const PAGE = { silence: SILENCE, longest: 300_000, most: 256 * MIB }

/**
 * All Nodes of the cluster, one at a time, so that of 15,000 of them (300 MB) no more is in memory than is kept. Resolves to the version
 * of the list, from which a watch goes on. Throws `ApiError`.
 */
export async function listNodes(connection: Connection, listing: Listing): Promise<string> {
  for (let restart = 0; ; restart++) {
    try {
      return await listOnce(connection, listing)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 410 || restart === RESTARTS) throw error
      listing.onRestart()
    }
  }
}

async function listOnce(connection: Connection, { limit, waiting, signal, onNode }: Listing): Promise<string> {
  for (let place = ''; ; ) {
    const here = place
    const page = await withRetries(() => streamPage(connection, pathOfPage(limit, here), { signal, onNode }), waiting)
    place = page.continue
    if (place === '') return page.resourceVersion
  }
}

type ListMeta = Readonly<Record<'continue' | 'resourceVersion', string>>

async function streamPage(
  connection: Connection,
  path: string,
  { signal, onNode }: Pick<Listing, 'signal' | 'onNode'>
): Promise<ListMeta> {
  const reader = listReader(item => onNode(item as V1Node))
  for await (const piece of await connection.open(LIST, { method: 'GET', path, ...PAGE, signal })) {
    sane(() => reader.push(piece))
  }
  const { kind, metadata } = (sane(reader.end) ?? {}) as { readonly kind?: unknown; readonly metadata?: Partial<ListMeta> | null }
  if (kind !== 'NodeList') throw garbage('no list of Nodes')
  return { continue: metadata?.continue ?? '', resourceVersion: metadata?.resourceVersion ?? '' }
}

/** What is no JSON is the fault of who sent it. */
function sane<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw garbage(`something that is no list (${error.message.slice(0, 100)})`)
  }
}

const garbage = (what: string): ApiError =>
  new ApiError(`cannot list the Nodes: the server answered with ${what}`, { code: 'GARBAGE' })

/** A patch of any Node. A dry run goes through all of the API server, admission policies too, and stores nothing. */
export interface Change {
  readonly name: string
  readonly isDryRun: boolean
}

/** Sets keys, or removes those that are `null`, in one JSON merge patch. Resolves to what the Node carries then. Throws `ApiError`. */
export const changeKeys = (connection: Connection, change: Change, metadata: MetadataPatch): Promise<Metadata> =>
  patch(connection, change, { part: '', contentType: 'application/merge-patch+json', body: { metadata } })

/** Sets a condition, or removes it (`{ $patch: 'delete', type }`), and touches no other. Throws `ApiError`. */
export const changeCondition = (connection: Connection, change: Change, condition: object): Promise<Metadata> =>
  patch(connection, change, {
    part: '/status',
    contentType: 'application/strategic-merge-patch+json',
    body: { status: { conditions: [condition] } }
  })

interface Patch {
  readonly part: '' | '/status'
  readonly contentType: string
  readonly body: object
}

async function patch(connection: Connection, { name, isDryRun }: Change, { part, contentType, body }: Patch): Promise<Metadata> {
  const tried = `change the Node "${name}"`
  const answer = await connection.call<unknown>(
    { tried, whenMissing: 'list the Nodes with kubectl get nodes' },
    {
      method: 'PATCH',
      path: `/api/v1/nodes/${encodeURIComponent(name)}${part}?fieldManager=${FIELD_MANAGER}${isDryRun ? '&dryRun=All' : ''}`,
      body,
      contentType,
      accept: METADATA_ONLY
    }
  )
  return metadataIn(answer, tried)
}
