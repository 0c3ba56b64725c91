import type { Taint } from '../node-sync/startup-taint.ts'
import type { Capability } from '../verdicts/all.ts'
import { type FleetNode, standingOf } from './fleet-node.ts'
import { passes } from './passing-taints.ts'
import type { Pool } from './pools.ts'
import type { Fleet, FleetPool } from './summary.ts'

/** What an autoscaler must be told of a pool that has no nodes, from what its nodes proved when it had some. */
export interface PoolAdvice {
  readonly pool: Pool
  readonly nodes: number
  /** Nodes whose agent lives and has looked since the boot: nobody else is believed. */
  readonly proved: number
  /** Whole keys of the capabilities that every one of them has proved. */
  readonly labels: Readonly<Record<string, 'true'>>
  /** Those that all of them carry for good. */
  readonly taints: readonly Taint[]
  /** The taint by which new nodes wait for the agent. */
  readonly startupTaint: Taint
  readonly disagreements: readonly Disagreement[]
}

/** Some nodes of a pool can, others cannot: the next one may be of either kind, so the label is nothing to promise. */
export interface Disagreement {
  readonly capability: Capability
  readonly can: readonly string[]
  readonly cannot: readonly string[]
  /** It is not known, or the label is missing. */
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
  const lasting = (first?.taints ?? []).filter(({ key }) => key !== startupKey && !passes(key))
  return lasting.filter(taint => others.every(({ taints }) => taints.some(other => taintText(other) === taintText(taint))))
}

/** `key=value:Effect`, as kubectl writes it. */
export const taintText = ({ key, value = '', effect = '' }: Taint): string => `${key}${value === '' ? '' : `=${value}`}:${effect}`
