import type { Connection } from '../connection.ts'
import { type MetadataPatch, patchNode } from '../patch-node.ts'
import type { Metadata } from './metadata.ts'

const IF_NOT_FOUND = 'list the Nodes with kubectl get nodes, and name this one with --node-name or NODE_NAME'

/**
 * Sends one JSON merge patch, which needs neither `labels` nor `annotations` on the Node to begin with, and names only our keys. The uid
 * is the condition that this is still the Node that was read. Resolves to what the Node has then. Throws `ApiError`.
 */
export async function patchMetadata(
  connection: Connection,
  name: string,
  { uid, labels, annotations }: MetadataPatch & { readonly uid: string }
): Promise<Metadata> {
  const metadata = { uid, ...unlessEmpty('labels', labels), ...unlessEmpty('annotations', annotations) }
  const purpose = { action: `label the Node "${name}"`, ifNotFound: IF_NOT_FOUND }
  return await patchNode(connection, purpose, { name, type: 'merge-patch', body: { metadata } })
}

const unlessEmpty = (key: keyof MetadataPatch, entries: Readonly<Record<string, string | null>>) =>
  Object.keys(entries).length > 0 ? { [key]: entries } : {}

/** Sets one condition; the others stay, since conditions merge by their type. Throws `ApiError`. */
export const patchCondition = (connection: Connection, name: string, condition: object): Promise<Metadata> =>
  patchNode(
    connection,
    { action: `set the condition of the Node "${name}"`, ifNotFound: IF_NOT_FOUND },
    { name, subresource: '/status', type: 'strategic-merge-patch', body: { status: { conditions: [condition] } } }
  )

/** Sends a JSON patch with conditions of its own (`test`). Throws `ApiError`. */
export const patchTaints = (connection: Connection, name: string, operations: readonly object[]): Promise<Metadata> =>
  patchNode(
    connection,
    { action: `remove the startup taint of the Node "${name}"`, ifNotFound: IF_NOT_FOUND },
    { name, type: 'json-patch', body: operations }
  )
