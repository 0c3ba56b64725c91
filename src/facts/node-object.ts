import * as z from 'zod/mini'
import { shown } from '../host/schema.ts'
import { part, parts, TEXT } from './lenient-schema.ts'

/** The fields of the Kubernetes Node that berth reads. */
export interface NodeObject {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly providerId: string
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[]
  /** Allocatable quantity by extended resource (`domain/name`); only whole numbers above 0. */
  readonly allocatable: Readonly<Record<string, number>>
  /** `undefined` with kubelets before 1.30, which do not report runtime handlers. */
  readonly runtimeHandlers: readonly string[] | undefined
  /** `features.userNamespaces` by the name of the runtime handler ("" is the default one), only of handlers that report it. */
  readonly userNamespaceHandlers: Readonly<Record<string, boolean>>
  /** `containerd://1.7.27`. */
  readonly containerRuntime: string
  readonly kubelet: string
  /** Whether the kubelet runs in a user namespace itself; `undefined` with kubelets before 1.37, which do not report it. */
  readonly runningInUserNamespace: boolean | undefined
}

/** `parseNode` takes a parsed JSON or YAML document. Throws an `Error` that names the missing or wrong field. */
export function parseNode(value: unknown): NodeObject {
  const { kind, metadata, spec, status } = z.parse(NODE, value)
  if (kind !== 'Node') throw new Error(`kind is ${kind === undefined ? 'undefined' : shown(kind)}, expected "Node"`)
  if (metadata.name === '') throw new Error('metadata.name is missing')
  return {
    name: metadata.name,
    labels: metadata.labels,
    annotations: metadata.annotations,
    providerId: spec.providerID,
    taints: spec.taints,
    allocatable: extendedResources(status.allocatable),
    runtimeHandlers: status.runtimeHandlers?.map(({ name }) => name ?? ''),
    userNamespaceHandlers: userNamespaceHandlers(status.runtimeHandlers ?? []),
    containerRuntime: status.nodeInfo.containerRuntimeVersion,
    kubelet: status.nodeInfo.kubeletVersion,
    runningInUserNamespace: status.nodeInfo.runningInUserNamespace
  }
}

const WORD = z.catch(z.union([z.string(), z.pipe(z.number(), z.transform(String))]), '')
const TEXTS = z.catch(z.record(z.string(), WORD), {})

const SWITCH = z.catch(z.optional(z.boolean()), undefined)

// An entry without a name is not the default handler, whose name is empty.
const HANDLER = part({ name: z.catch(z.optional(z.string()), undefined), features: part({ userNamespaces: SWITCH }) })

// Only kind and name are required.
const NODE = part({
  kind: z.optional(z.unknown()),
  metadata: part({ name: TEXT, labels: TEXTS, annotations: TEXTS }),
  spec: part({ providerID: TEXT, taints: parts({ key: TEXT, value: TEXT, effect: TEXT }) }),
  status: part({
    allocatable: TEXTS,
    runtimeHandlers: z.catch(z.optional(z.array(HANDLER)), undefined),
    nodeInfo: part({ containerRuntimeVersion: TEXT, kubeletVersion: TEXT, runningInUserNamespace: SWITCH })
  })
})

/** Extended resources are whole numbers; `memory` and others have units and change often. */
function extendedResources(quantities: Readonly<Record<string, string>>): Readonly<Record<string, number>> {
  const counts = Object.entries(quantities).map(([name, quantity]) => [name, name.includes('/') ? count(quantity) : 0] as const)
  return Object.fromEntries(counts.filter(([, count]) => Number.isSafeInteger(count) && count > 0))
}

const SUFFIXES: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 }

/** A count as Kubernetes writes it: 1000 devices are `1k`, and 1100 are `1100` (apimachinery pkg/api/resource, DecimalSI). */
function count(quantity: string): number {
  const [, digits, suffix = ''] = /^(.+?)([kMG]?)$/.exec(quantity) ?? []
  return Number(digits) * (SUFFIXES[suffix] ?? 1)
}

function userNamespaceHandlers(handlers: readonly z.output<typeof HANDLER>[]): Readonly<Record<string, boolean>> {
  return Object.fromEntries(
    handlers.flatMap(({ name, features: { userNamespaces } }) =>
      name === undefined || userNamespaces === undefined ? [] : [[name, userNamespaces] as const]
    )
  )
}
