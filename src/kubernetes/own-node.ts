import type { CoreV1Event } from '@kubernetes/client-node/dist/gen/models/CoreV1Event.js'
import type { V1Node } from '@kubernetes/client-node/dist/gen/models/V1Node.js'
import type { Attempt } from '../facts/fact.ts'
import { SOME_OBJECT, typedAnswer, WITH_METADATA } from './answer.ts'
import { ApiError } from './api-error.ts'
import type { Connection } from './connection.ts'

/** What every write of ours is attributed to in `managedFields`. */
export const FIELD_MANAGER = 'berth'

/** The answer is the metadata alone: 8 KB of a Node's 20, since its list of images is not in it. Honoured on PATCH too. */
export const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

const WHEN_MISSING = 'list the Nodes with kubectl get nodes, and name this one with --node-name or NODE_NAME'

/** The whole Node, as the API has it, or what it answered instead. Throws `ApiError`. */
export async function readNode(connection: Connection, name: string): Promise<V1Node> {
  const question = { tried: `read the Node "${name}"`, whenMissing: WHEN_MISSING }
  const answer = await connection.call<unknown>(question, { method: 'GET', path: pathOf(name) })
  // The generated type has times as `Date`, where JSON has texts.
  return typedAnswer(SOME_OBJECT, answer, question.tried) as unknown as V1Node
}

const pathOf = (name: string, part = ''): string => `/api/v1/nodes/${encodeURIComponent(name)}${part}`

/** What a Node carries, and which one it is. */
export interface Metadata {
  readonly uid: string
  /** Grows with each change; compared as a number since Kubernetes 1.35 says that it may be. */
  readonly resourceVersion: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export const readMetadata = async (connection: Connection, name: string): Promise<Metadata> => {
  const question = { tried: `read the Node "${name}"`, whenMissing: WHEN_MISSING }
  const answer = await connection.call<unknown>(question, { method: 'GET', path: pathOf(name), accept: METADATA_ONLY })
  return metadataIn(answer, question.tried)
}

export interface MetadataPatch {
  /** `null` removes a key. */
  readonly labels: Readonly<Record<string, string | null>>
  readonly annotations: Readonly<Record<string, string | null>>
}

/**
 * One JSON merge patch: it needs neither `labels` nor `annotations` on the Node to begin with, and names only our keys.
 * The uid is the condition that this is still the Node that was read. Resolves to what the Node carries then. Throws `ApiError`.
 */
export async function patchMetadata(
  connection: Connection,
  name: string,
  patch: MetadataPatch & { readonly uid: string }
): Promise<Metadata> {
  const { uid, labels, annotations } = patch
  const metadata = { uid, ...filled('labels', labels), ...filled('annotations', annotations) }
  return await patchNode(connection, pathOf(name), { tried: `label the Node "${name}"`, as: 'merge-patch', body: { metadata } })
}

interface NodePatch {
  readonly tried: string
  readonly as: 'merge-patch' | 'strategic-merge-patch' | 'json-patch'
  readonly body: unknown
}

async function patchNode(connection: Connection, path: string, { tried, as, body }: NodePatch): Promise<Metadata> {
  const answer = await connection.call<unknown>(
    { tried, whenMissing: WHEN_MISSING },
    {
      method: 'PATCH',
      path: `${path}?fieldManager=${FIELD_MANAGER}`,
      body,
      contentType: `application/${as}+json`,
      accept: METADATA_ONLY
    }
  )
  return metadataIn(answer, tried)
}

const filled = (key: keyof MetadataPatch, entries: Readonly<Record<string, string | null>>) =>
  Object.keys(entries).length > 0 ? { [key]: entries } : {}

/** What an answer of the API says of an object that it read or wrote. Throws `ApiError`. */
export const metadataIn = (answer: unknown, tried: string): Metadata =>
  metadataOf(typedAnswer(WITH_METADATA, answer, tried).metadata)

export const metadataOf = ({ uid, resourceVersion, labels, annotations }: Metadata): Metadata => ({
  uid,
  resourceVersion,
  labels,
  annotations
})

/** Conditions merge by their type, so the others stay what they are. Throws `ApiError`. */
export const patchCondition = (connection: Connection, name: string, condition: object): Promise<Metadata> =>
  patchNode(connection, pathOf(name, '/status'), {
    tried: `set the condition of the Node "${name}"`,
    as: 'strategic-merge-patch',
    body: { status: { conditions: [condition] } }
  })

/** A JSON patch with its own conditions (`test`). Throws `ApiError`. */
export const patchTaints = (connection: Connection, name: string, patch: readonly object[]): Promise<Metadata> =>
  patchNode(connection, pathOf(name), { tried: `remove the startup taint of the Node "${name}"`, as: 'json-patch', body: patch })

/** Throws `ApiError`. */
export async function createEvent(connection: Connection, body: CoreV1Event): Promise<void> {
  const path = '/api/v1/namespaces/default/events'
  await connection.call({ tried: 'write an event', whenMissing: '' }, { method: 'POST', path, body, accept: METADATA_ONLY })
}

const ENFORCE = 'pod-security.kubernetes.io/enforce'

/**
 * The Pod Security level that a namespace enforces, empty where none is set. A namespace that cannot be read is a reason and no
 * failure: what does not depend on it can still be told. Throws `ApiError` for all else.
 */
export async function readPodSecurity(connection: Connection, namespace: string): Promise<Attempt<string>> {
  try {
    const question = { tried: `read the Namespace "${namespace}"`, whenMissing: '' }
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
    const answer = await connection.call<unknown>(question, { method: 'GET', path, accept: METADATA_ONLY })
    return { ok: true, value: metadataIn(answer, question.tried).labels[ENFORCE] ?? '' }
  } catch (error) {
    const why = error instanceof ApiError ? NAMESPACE_REFUSALS[error.status]?.(namespace) : undefined
    if (why === undefined) throw error
    return { ok: false, why }
  }
}

const NAMESPACE_REFUSALS: Readonly<Record<number, (namespace: string) => string>> = {
  403: namespace =>
    `the API forbids us to read the Namespace "${namespace}"; grant "get" on it (manifests/components/workspace-namespace, or the chart with this option), or say it yourself with --privileged-workspaces`,
  404: namespace => `there is no Namespace "${namespace}" in this cluster; check --workspace-namespace`
}
