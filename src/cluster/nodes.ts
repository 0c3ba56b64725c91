import type { V1Node } from '@kubernetes/client-node/dist/gen/models/V1Node.js'
import { ApiError } from './api-error.ts'
import type { Connection } from './connection.ts'
import { FIELD_MANAGER, METADATA_ONLY, type Metadata, type MetadataPatch, metadataOf } from './own-node.ts'
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
  const query = new URLSearchParams({ limit: String(limit), ...(place === '' ? {} : { continue: place }) })
  return connection.call<NodeList>(
    { tried: 'list the Nodes', whenMissing: 'check the URL of the server' },
    { method: 'GET', path: `/api/v1/nodes?${query}` }
  )
}

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
  const answer = await connection.call<Pick<V1Node, 'metadata'>>(
    { tried: `change the Node "${name}"`, whenMissing: 'list the Nodes with kubectl get nodes' },
    {
      method: 'PATCH',
      path: `/api/v1/nodes/${encodeURIComponent(name)}${part}?fieldManager=${FIELD_MANAGER}${isDryRun ? '&dryRun=All' : ''}`,
      body,
      contentType,
      accept: METADATA_ONLY
    }
  )
  return metadataOf(answer.metadata)
}
