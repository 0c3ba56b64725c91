import { METADATA_ONLY } from '../call.ts'
import type { Connection } from '../connection.ts'
import type { V1Node } from '../models.ts'
import { nodePath } from '../node-path.ts'
import { parseResponse, SOME_OBJECT } from '../response-schema.ts'
import { type Metadata, parseMetadata } from './metadata.ts'

const purposeFor = (name: string) => ({
  action: `read the Node "${name}"`,
  ifNotFound: 'list the Nodes with kubectl get nodes, and name this one with --node-name or NODE_NAME'
})

/** The whole Node; an object of another kind, where the server responds with one. Throws `ApiError`. */
export async function readNode(connection: Connection, name: string): Promise<V1Node> {
  const purpose = purposeFor(name)
  const response = await connection.call<unknown>(purpose, { method: 'GET', path: nodePath(name) })
  // The generated type has times as `Date`, where JSON has texts.
  return parseResponse(SOME_OBJECT, response, purpose.action) as unknown as V1Node
}

/** The Node's metadata alone. Throws `ApiError`. */
export async function readMetadata(connection: Connection, name: string): Promise<Metadata> {
  const purpose = purposeFor(name)
  const response = await connection.call<unknown>(purpose, { method: 'GET', path: nodePath(name), accept: METADATA_ONLY })
  return parseMetadata(response, purpose.action)
}
