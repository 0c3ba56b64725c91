import type { Capability } from '../verdicts/all.ts'
import { ANSWERS, type Answer } from '../verdicts/verdict.ts'
import { type FleetNode, isOutdated, type Now, reportedVerdict, type Standing, standingOf } from './fleet-node.ts'
import { type Pool, poolText } from './pools.ts'

/** All Nodes at one moment, the input of every format. */
export interface Fleet {
  readonly now: Now
  /** URL of the API. */
  readonly server: string
  readonly prefix: string
  /** Those to print, in order. */
  readonly capabilities: readonly Capability[]
  /** By name. */
  readonly pools: readonly FleetPool[]
}

export interface FleetPool {
  readonly pool: Pool
  /** By name; at least one. */
  readonly nodes: readonly FleetNode[]
}

/** Nodes by their pools, both in the order of their names; those of no pool come last. */
export function poolsOf(nodes: Iterable<FleetNode>): readonly FleetPool[] {
  const pools = new Map<string, { readonly pool: Pool; readonly nodes: FleetNode[] }>()
  for (const node of nodes) {
    const { pool } = node
    const key = `${pool.kind === 'none' ? 1 : 0} ${pool.name} ${pool.kind}`
    const known = pools.get(key)
    if (known === undefined) pools.set(key, { pool, nodes: [node] })
    else known.nodes.push(node)
  }
  const sorted = [...pools].sort(([a], [b]) => order(a, b)).map(([, found]) => found)
  for (const { nodes: found } of sorted) found.sort((a, b) => order(a.name, b.name))
  return sorted
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const nodesOf = ({ pools }: Pick<Fleet, 'pools'>): readonly FleetNode[] => pools.flatMap(({ nodes }) => nodes)

export type Counts = Readonly<Record<Answer | 'absent' | 'outdated', number>>

/**
 * Counts each Node once: by its answer, as `absent` if it has no label of the capability, or as `outdated` if the label cannot be relied
 * on, because the agent sends no heartbeats or has not observed the Node since it booted.
 */
export function countsOf(nodes: readonly FleetNode[], capability: Capability, now: Now): Counts {
  const counts = { yes: 0, no: 0, unknown: 0, absent: 0, outdated: 0 }
  for (const node of nodes) {
    const answer = node.answers[capability]
    counts[answer === undefined ? 'absent' : isOutdated(node, now) ? 'outdated' : answer]++
  }
  return counts
}

/** How many Nodes have which standing. */
export function standingsOf(nodes: readonly FleetNode[], now: Now): Readonly<Record<Standing, number>> {
  const counts = { fresh: 0, stale: 0, rebooted: 0, absent: 0 }
  for (const node of nodes) counts[standingOf(node, now)]++
  return counts
}

export interface Reason {
  readonly answer: Answer
  /** In the words of the first of the Nodes. */
  readonly because: string
  /** Only set when the answer is yes. */
  readonly cautions: readonly string[]
  readonly nodes: readonly FleetNode[]
}

/** The reasons of the answers, the most frequent first. Reasons that differ only in numbers are merged and marked. */
export function reasonsOf(nodes: readonly FleetNode[], capability: Capability): readonly Reason[] {
  const reasons = new Map<string, Omit<Reason, 'nodes'> & { readonly nodes: FleetNode[]; differ: boolean }>()
  for (const node of nodes) {
    const stated = reportedVerdict(node, capability)
    if (stated === undefined) continue
    const { answer, because } = stated
    const cautions = answer === 'yes' ? stated.cautions : []
    const key = [answer, because, ...cautions].join('\n').replace(/\d+/g, '0')
    const known = reasons.get(key)
    if (known === undefined) reasons.set(key, { answer, because, cautions, nodes: [node], differ: false })
    else {
      known.nodes.push(node)
      if (known.because !== because) known.differ = true
    }
  }
  const rank = ({ answer }: Reason) => ANSWERS.indexOf(answer)
  return [...reasons.values()]
    .map(({ differ, because, ...rest }) => ({ ...rest, because: differ ? `${because} (numbers differ)` : because }))
    .sort((a, b) => rank(a) - rank(b) || b.nodes.length - a.nodes.length || order(a.because, b.because))
}

export interface Way {
  readonly way: string
  /** Nodes with the answer no or unknown whose report lists this way out. */
  readonly nodes: number
  /** Those of them whose report lists no other way out. */
  readonly alone: number
  /** `EKS node group batch` and how many of its Nodes, the largest number first. */
  readonly pools: readonly (readonly [pool: string, nodes: number])[]
}

/** The end of a reason that counts further reasons, or that was shortened and may have counted some. */
const HAS_MORE = /( \(and \d+ more\)|…)$/

/** The ways out, sorted by how many Nodes need only that one, then by how many Nodes list it. */
export function waysOf(nodes: readonly FleetNode[], capability: Capability): readonly Way[] {
  const ways = new Map<string, { way: string; nodes: number; alone: number; pools: Map<string, number> }>()
  for (const node of nodes) {
    const stated = reportedVerdict(node, capability)
    if (stated === undefined) continue
    const isAlone = stated.ways.length === 1 && !HAS_MORE.test(stated.because)
    for (const way of stated.ways) {
      const entry = ways.get(way) ?? { way, nodes: 0, alone: 0, pools: new Map() }
      const pool = poolText(node.pool)
      ways.set(way, entry)
      entry.nodes++
      if (isAlone) entry.alone++
      entry.pools.set(pool, (entry.pools.get(pool) ?? 0) + 1)
    }
  }
  return [...ways.values()]
    .map(entry => ({ ...entry, pools: [...entry.pools].sort((a, b) => b[1] - a[1] || order(a[0], b[0])) }))
    .sort((a, b) => b.alone - a.alone || b.nodes - a.nodes || order(a.way, b.way))
}
