import type { Surroundings } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import type { World } from '../cli/connected.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { listNodes } from '../kubernetes/list/nodes.ts'
import { HEARTBEATS } from '../node-sync/condition.ts'
import { ALL_CAPABILITIES } from '../verdicts/all.ts'
import { type FleetNode, type FleetTerms, fleetNode } from './fleet-node.ts'
import { type Fleet, poolsOf } from './summary.ts'

/** Time, randomness and network, which tests replace. */
export interface FleetWorld extends World {
  /** Ends a watch. */
  readonly signal: AbortSignal
  /** Nodes a page. */
  readonly limit: number
}

export interface FleetJob {
  readonly config: Config
  readonly surroundings: Surroundings
  readonly world: FleetWorld
  readonly connection: Connection
}

export interface Gathered {
  /** By name. */
  readonly nodes: Map<string, FleetNode>
  /** The resourceVersion of the list, at which a watch can begin. */
  readonly version: string
}

export const termsFrom = ({ options }: Config): FleetTerms => ({
  prefix: options['label-prefix'],
  poolLabel: options['pool-label'],
  kept: new Map()
})

/** Reads all Nodes and keeps the parts that the fleet needs. Throws `ApiError`. */
export async function gather({ config, world, connection }: FleetJob, terms: FleetTerms = termsFrom(config)): Promise<Gathered> {
  const nodes = new Map<string, FleetNode>()
  const version = await listNodes(connection, {
    limit: world.limit,
    waiting: world,
    signal: world.signal,
    onNode: node => {
      const found = fleetNode(node, terms)
      nodes.set(found.name, found)
    },
    onRestart: () => nodes.clear()
  })
  return { nodes, version }
}

/** The fleet as it is now. Without `--capability`, an opt-in capability is left out if no Node has its label. */
export function viewOf(nodes: Iterable<FleetNode>, { config, surroundings, connection }: FleetJob): Fleet {
  const { heartbeat, capability, 'label-prefix': prefix } = config.options
  const all = [...nodes]
  const shown = ALL_CAPABILITIES.filter(({ name, optIn }) => !optIn || all.some(({ answers }) => answers[name] !== undefined))
  return {
    now: { at: surroundings.clock.now().getTime(), patience: HEARTBEATS * heartbeat },
    server: connection.server,
    prefix,
    capabilities: capability === '' ? shown.map(({ name }) => name) : [capability],
    pools: poolsOf(all)
  }
}
