import type { Purpose } from './api-error.ts'
import { METADATA_ONLY } from './call.ts'
import type { Connection } from './connection.ts'
import { FIELD_MANAGER, nodePath } from './node-path.ts'
import { type Metadata, parseMetadata } from './own-node/metadata.ts'

export interface NodePatch {
  readonly name: string
  readonly subresource?: '' | '/status'
  readonly type: 'merge-patch' | 'strategic-merge-patch' | 'json-patch'
  readonly body: unknown
  readonly isDryRun?: boolean
}

/** Resolves to the metadata that the Node has then. Throws `ApiError`. */
export async function patchNode(connection: Connection, purpose: Purpose, patch: NodePatch): Promise<Metadata> {
  const { name, subresource = '', type, body, isDryRun = false } = patch
  const response = await connection.call<unknown>(purpose, {
    method: 'PATCH',
    path: `${nodePath(name, subresource)}?fieldManager=${FIELD_MANAGER}${isDryRun ? '&dryRun=All' : ''}`,
    body,
    contentType: `application/${type}+json`,
    accept: METADATA_ONLY
  })
  return parseMetadata(response, purpose.action)
}

export interface MetadataPatch {
  /** `null` removes a key. */
  readonly labels: Readonly<Record<string, string | null>>
  readonly annotations: Readonly<Record<string, string | null>>
}

/** A patch of any Node. A dry run goes through the whole API server, admission policies too, and stores nothing. */
export interface Change {
  readonly name: string
  readonly isDryRun: boolean
}

const purposeOf = ({ name }: Change): Purpose => ({
  action: `change the Node "${name}"`,
  ifNotFound: 'list the Nodes with kubectl get nodes'
})

/** Sets keys, or removes those that are `null`, in one JSON merge patch. Resolves to what the Node has then. Throws `ApiError`. */
export const changeKeys = (connection: Connection, change: Change, metadata: MetadataPatch): Promise<Metadata> =>
  patchNode(connection, purposeOf(change), { ...change, type: 'merge-patch', body: { metadata } })

/** Sets a condition, or removes it (`{ $patch: 'delete', type }`), and no other. Throws `ApiError`. */
export const changeCondition = (connection: Connection, change: Change, condition: object): Promise<Metadata> =>
  patchNode(connection, purposeOf(change), {
    ...{ ...change, subresource: '/status', type: 'strategic-merge-patch' },
    body: { status: { conditions: [condition] } }
  })
