import { type Detector, Unsure } from './fact.ts'

/** What the Kubernetes API says of this node, as far as it matters here. */
export interface NodeObject {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly providerId: string
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[]
  /** Resource name to what pods may have of it, only whole numbers above 0 and only extended resources (`domain/name`). */
  readonly allocatable: Readonly<Record<string, number>>
  /** `undefined` from kubelets before 1.30, which do not report them. */
  readonly runtimeHandlers: readonly string[] | undefined
  /** `containerd://1.7.27`. */
  readonly containerRuntime: string
  readonly kubelet: string
}

export const detectNode: Detector<NodeObject> = async ({ node }) => {
  if (node === undefined) throw new Unsure('no Node object was given (--node FILE, or a cluster)')
  return node
}

/** A Node from JSON or YAML text already parsed. Throws `Error` that says what is missing, for people. */
export function parseNode(value: unknown): NodeObject {
  const node = record(value)
  if (node['kind'] !== 'Node') throw new Error(`kind is ${JSON.stringify(node['kind'])}, expected "Node"`)
  const { metadata, spec, status } = {
    metadata: record(node['metadata']),
    spec: record(node['spec']),
    status: record(node['status'])
  }
  const info = record(status['nodeInfo'])
  const { name } = metadata
  if (typeof name !== 'string' || name === '') throw new Error('metadata.name is missing')
  return {
    name,
    labels: texts(metadata['labels']),
    annotations: texts(metadata['annotations']),
    providerId: text(spec['providerID']),
    taints: items(spec['taints']).map(taint => ({
      key: text(taint['key']),
      value: text(taint['value']),
      effect: text(taint['effect'])
    })),
    allocatable: extendedResources(status['allocatable']),
    runtimeHandlers: Array.isArray(status['runtimeHandlers'])
      ? items(status['runtimeHandlers']).map(handler => text(handler['name']))
      : undefined,
    containerRuntime: text(info['containerRuntimeVersion']),
    kubelet: text(info['kubeletVersion'])
  }
}

/** Only extended resources: those are whole numbers; `memory` and its like have units and move about. */
function extendedResources(value: unknown): Readonly<Record<string, number>> {
  const counts = Object.entries(texts(value)).map(
    ([name, quantity]) => [name, name.includes('/') ? Number(quantity) : 0] as const
  )
  return Object.fromEntries(counts.filter(([, count]) => Number.isSafeInteger(count) && count > 0))
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

const items = (value: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.map(record) : [])

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const texts = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(record(value)).map(([key, entry]) => [key, typeof entry === 'number' ? String(entry) : text(entry)])
  )
