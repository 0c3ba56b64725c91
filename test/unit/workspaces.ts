import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import { EXAMPLES } from '../../packaging/examples.ts'
import { WAYS, type Way } from '../../src/commands/template/node-pool.ts'

/** One condition on a node: a label's key, and the values that it must have, or must not. */
export interface Condition {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
}

const is = (capability: string): Condition => ({ key: `berth.dev/${capability}`, operator: 'In', values: ['true'] })

/** Of the images, and of Coder's agent in the templates. */
const AMD64: Condition = { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }

/** Which nodes each example means. A cached CVM may not have a GPU, so it leaves the nodes with one to others. */
export const MEANT: Readonly<Record<Way, readonly Condition[]>> = {
  cvm: [is('cvm'), AMD64],
  'cached-cvm': [is('cached-cvm'), { ...is('gpu'), operator: 'NotIn' }, AMD64],
  gpu: [is('gpu'), AMD64],
  'gpu-cvm': [is('gpu-cvm'), AMD64],
  podman: [is('podman'), AMD64],
  sysbox: [is('sysbox'), AMD64],
  userns: [is('userns'), AMD64],
  kvm: [is('kvm'), AMD64],
  privileged: [is('privileged'), AMD64],
  'systemd-sysbox': [is('sysbox'), AMD64]
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly env?: readonly { readonly name: string; readonly valueFrom?: Readonly<Record<string, unknown>> }[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly resources: { readonly limits: Readonly<Record<string, unknown>> }
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}

export interface PodSpec {
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly affinity?: Readonly<Record<string, unknown>>
  readonly runtimeClassName?: string
  readonly hostUsers?: boolean
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly containers: readonly Container[]
  readonly volumes: readonly Readonly<Record<string, unknown>>[]
  readonly [field: string]: unknown
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

export const WAYS_AND_TEXTS = WAYS.map(way => [way, readFileSync(join(EXAMPLES, `${way}.yaml`), 'utf8')] as const)

export const objectsOf = (text: string): readonly Manifest[] => loadAll(text) as Manifest[]

export function podOf(text: string): PodSpec {
  const [pod, ...more] = objectsOf(text).filter(({ kind }) => kind === 'Pod')
  if (pod === undefined || more.length > 0) throw new Error(`expected one pod, found ${more.length + 1}`)
  return pod['spec'] as PodSpec
}

/** All that a pod says of its node, the architecture last, but for taints and resources; throws on a way to say it that is not known here. */
export function conditionsOf({ nodeSelector = {}, affinity = {}, nodeName }: PodSpec): readonly Condition[] {
  const { nodeAffinity, ...strange } = affinity as { nodeAffinity?: Record<string, { nodeSelectorTerms: Expressions[] }> }
  const { requiredDuringSchedulingIgnoredDuringExecution: required, ...preferred } = nodeAffinity ?? {}
  const [term, ...alternatives] = required?.nodeSelectorTerms ?? []
  const unknown = [...Object.keys({ ...strange, ...preferred }), ...(nodeName === undefined ? [] : ['nodeName'])]
  if (unknown.length > 0 || alternatives.length > 0) throw new Error(`more ways to choose a node: ${unknown}`)
  return [
    ...Object.entries(nodeSelector).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    ...(term?.matchExpressions ?? [])
  ].toSorted((a, b) => Number(a.key === AMD64.key) - Number(b.key === AMD64.key) || a.key.localeCompare(b.key))
}

interface Expressions {
  readonly matchExpressions: readonly Condition[]
}
