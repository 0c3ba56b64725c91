import { join } from 'node:path'
import { parseConfig } from '../../src/cli/config.ts'
import { type FleetNode, fleetNode } from '../../src/fleet/fleet-node.ts'
import { formatted } from '../../src/fleet/format/all.ts'
import type { Fleet } from '../../src/fleet/summary.ts'
import { poolsOf } from '../../src/fleet/summary.ts'
import type { V1Node } from '../../src/kubernetes/models.ts'
import { conditionToWrite, opinion } from '../../src/node-sync/condition.ts'
import { labels } from '../../src/node-sync/labels.ts'
import { reportAnnotation } from '../../src/node-sync/report.ts'
import { ALL_CAPABILITIES, type Capability } from '../../src/verdicts/all.ts'
import { GOLDENS } from '../nodes/recordings.ts'
import { type NodeOverrides, realisticNode } from './cluster/nodes.ts'
import { snapshotOf } from './recorded-snapshot.ts'

/** When the fleet was seen; the agents wrote their heartbeats two minutes before. */
export const NOW = new Date('2026-11-03T10:00:00.000Z')
const BEAT = new Date('2026-11-03T09:58:00.000Z')
const LONG_AGO = new Date('2026-10-31T21:15:00.000Z')
/** The boot that every agent was in. */
export const BOOT = '5a3f8c1e-0000-4000-8000-0000000000b0'

/** What is so of a Node besides what its machine is. */
export interface Circumstances {
  readonly pool?: readonly [label: string, name: string]
  readonly heartbeat?: Date
  readonly isRebooted?: boolean
  readonly isCordoned?: boolean
  readonly taints?: NonNullable<NodeOverrides['spec']>['taints']
}

/** A Node of 20 kB with all that a real agent on a recorded machine would have written there. */
export async function agentNode(name: string, machine: string, circumstances: Circumstances = {}): Promise<V1Node> {
  const { pool, heartbeat = BEAT, isRebooted = false, isCordoned = false, taints = [] } = circumstances
  const snapshot = await snapshotOf(machine, { '/proc/sys/kernel/random/boot_id': `${BOOT}\n` })
  const bare = bareNode(name, { ...(pool && { pool }), taints })
  const condition = conditionToWrite(undefined, opinion(snapshot, true), heartbeat, 0)
  return {
    ...bare,
    metadata: {
      ...bare.metadata,
      labels: { ...bare.metadata?.labels, ...labels(snapshot, 'berth.dev') },
      annotations: { ...bare.metadata?.annotations, 'berth.dev/report': reportAnnotation(snapshot, '0.1.0') }
    },
    spec: { ...bare.spec, ...(isCordoned ? { unschedulable: true } : {}) },
    status: {
      ...bare.status,
      nodeInfo: { ...bare.status?.nodeInfo, bootID: isRebooted ? BOOT.replace('b0', 'b1') : BOOT } as never,
      conditions: [...(bare.status?.conditions ?? []), condition as never]
    }
  }
}

/** A Node that no agent has been on. */
export const bareNode = (name: string, { pool, taints = [] }: Pick<Circumstances, 'pool' | 'taints'> = {}): V1Node =>
  realisticNode(name, {
    labels: pool === undefined ? {} : { [pool[0]]: pool[1] },
    spec: { taints }
  }) as unknown as V1Node

const [EKS, KARPENTER] = ['eks.amazonaws.com/nodegroup', 'karpenter.sh/nodepool']
const GPU = { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' } as const
const STARTUP = { key: 'startup-taint.cluster-autoscaler.kubernetes.io/berth', effect: 'NoSchedule' } as const

/** A cluster in EKS: 40 nodes in three node groups and two of Karpenter's node pools, not all of them well. */
export async function recordedFleet(): Promise<readonly V1Node[]> {
  const nodes: Promise<V1Node>[] = []
  const add = (count: number, machine: string, circumstances: Circumstances & { readonly pool: readonly [string, string] }) => {
    for (let index = 0; index < count; index++) nodes.push(agentNode(nameOf(nodes.length), machine, circumstances))
  }
  const ubuntu = [EKS, 'ubuntu-22'] as const
  add(10, 'eks-ubuntu-22.04', { pool: ubuntu })
  add(1, 'eks-ubuntu-22.04', { pool: ubuntu, heartbeat: LONG_AGO })
  add(1, 'eks-ubuntu-22.04', { pool: ubuntu, isCordoned: true })
  const amazon = [EKS, 'al2023'] as const
  add(8, 'eks-al2023', { pool: amazon })
  nodes.push(Promise.resolve(bareNode(nameOf(nodes.length), { pool: amazon, taints: [STARTUP] })))
  add(7, 'bottlerocket-raised', { pool: [EKS, 'bottlerocket'] })
  add(3, 'bottlerocket-fresh', { pool: [EKS, 'bottlerocket'] })
  add(3, 'ec2-metal-t4', { pool: [KARPENTER, 'gpu'], taints: [GPU] })
  add(2, 'ec2-g5', { pool: [KARPENTER, 'gpu'], taints: [GPU] })
  add(1, 'eks-graviton', { pool: [KARPENTER, 'general'] })
  add(2, 'ubuntu-22.04-shiftfs', { pool: [KARPENTER, 'general'] })
  add(1, 'eks-ubuntu-20.04', { pool: [KARPENTER, 'general'], isRebooted: true })
  return await Promise.all(nodes)
}

const nameOf = (index: number): string => `ip-10-20-${30 + (index % 3)}-${100 + index}.eu-central-1.compute.internal`

/** Nodes as `fleet` reads them. */
export const read = (nodes: readonly V1Node[], poolLabel = ''): readonly FleetNode[] => {
  const terms = { prefix: 'berth.dev', poolLabel, kept: new Map() }
  return nodes.map(node => fleetNode(node, terms))
}

export const fleetOf = (nodes: readonly V1Node[], more: Partial<Fleet> = {}): Fleet => ({
  now: { at: NOW.getTime(), patience: 15 * 60_000 },
  server: 'https://10.0.0.1:6443',
  prefix: 'berth.dev',
  capabilities: ALL_CAPABILITIES.filter(({ optIn }) => optIn === undefined).map(({ name }) => name),
  pools: poolsOf(read(nodes)),
  ...more
})

/** What `berth fleet` is asked of the recorded cluster; each answer is kept in a file. */
export const FLEET_GOLDENS = {
  table: [],
  why: ['--why'],
  'cached-cvm': ['--capability', 'cached-cvm'],
  autoscaler: ['--autoscaler']
} as const satisfies Readonly<Record<string, readonly string[]>>

export const fleetGoldenFile = (name: string): string => join(GOLDENS, `fleet/${name}.txt`)

/** The words of `berth fleet` on these Nodes, 110 columns wide. */
export function formatFleet(nodes: readonly V1Node[], args: readonly string[], more: Partial<Fleet> = {}): string {
  const config = parseConfig(['fleet', ...args], { COLUMNS: '110' }, {})
  const { capability } = config.options
  const wanted: Partial<Fleet> = capability === '' ? {} : { capabilities: [capability as Capability] }
  return [...formatted(fleetOf(nodes, { ...wanted, ...more }), config)].join('')
}
