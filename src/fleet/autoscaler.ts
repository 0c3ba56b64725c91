import type { Taint } from '../node-sync/startup-taint.ts'
import type { Capability } from '../verdicts/all.ts'
import { type FleetNode, standingOf } from './fleet-node.ts'
import type { Pool } from './pools.ts'
import type { Fleet, FleetPool } from './summary.ts'
import { isTemporary } from './temporary-taints.ts'

/** What a pool should declare for an autoscaler that scales it from zero, taken from what berth found on its nodes. */
export interface PoolAdvice {
  readonly pool: Pool
  readonly nodes: number
  /** Nodes with a recent heartbeat that were observed since their boot. Only these count. */
  readonly proved: number
  /** The labels that all proved nodes carry with `true`, by full key. */
  readonly labels: Readonly<Record<string, 'true'>>
  /** The permanent taints that all proved nodes carry. */
  readonly taints: readonly Taint[]
  /** The taint that keeps pods off new nodes until the agent has labelled them. */
  readonly startupTaint: Taint
  readonly disagreements: readonly Disagreement[]
}

/** Some nodes of a pool have a capability and others do not: a new node may be either, so the pool should not declare the label. */
export interface Disagreement {
  readonly capability: Capability
  readonly can: readonly string[]
  readonly cannot: readonly string[]
  /** The answer is unknown, or the label is missing. */
  readonly open: readonly string[]
}

export function poolAdvice({ pool, nodes }: FleetPool, { now, prefix, capabilities }: Fleet, startupKey: string): PoolAdvice {
  const proved = nodes.filter(node => standingOf(node, now) === 'fresh')
  const can = (capability: Capability) => proved.filter(({ answers }) => answers[capability] === 'yes')
  const agreed = capabilities.filter(capability => proved.length > 0 && can(capability).length === proved.length)
  const disputed = capabilities.filter(name => can(name).length > 0 && can(name).length < proved.length)
  return {
    pool,
    nodes: nodes.length,
    proved: proved.length,
    labels: Object.fromEntries(agreed.map(capability => [`${prefix}/${capability}`, 'true' as const])),
    taints: lastingTaints(proved, startupKey),
    startupTaint: { key: startupKey, effect: 'NoSchedule' },
    disagreements: disputed.map(capability => ({
      capability,
      can: namesOf(can(capability)),
      cannot: namesOf(proved.filter(({ answers }) => answers[capability] === 'no')),
      open: namesOf(proved.filter(({ answers }) => (answers[capability] ?? 'unknown') === 'unknown'))
    }))
  }
}

const namesOf = (nodes: readonly FleetNode[]): readonly string[] => nodes.map(({ name }) => name)

function lastingTaints(nodes: readonly FleetNode[], startupKey: string): readonly Taint[] {
  const [first, ...others] = nodes
  const lasting = (first?.taints ?? []).filter(({ key }) => key !== startupKey && !isTemporary(key))
  return lasting.filter(taint => others.every(({ taints }) => taints.some(other => taintText(other) === taintText(taint))))
}

/** `key=value:Effect`, as kubectl writes it. */
export const taintText = ({ key, value = '', effect = '' }: Taint): string => `${key}${value === '' ? '' : `=${value}`}:${effect}`
