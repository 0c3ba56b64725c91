import { type FleetNode, reportedVerdict, standingOf } from '../fleet-node.ts'
import { countsOf, type Fleet, nodesOf, standingsOf, waysOf } from '../summary.ts'

/**
 * One object, `{"schema":1,"at":…,"server":…,"counts":{capability:{"yes":…,"no":…,"unknown":…,"absent":…,"outdated":…}},"agents":{"fresh":…,"stale":…,
 * "rebooted":…,"absent":…},"ways":{capability:[{"way":…,"nodes":…,"alone":…,"pools":[[pool,nodes]]}]},"pools":[{"kind":…,"name":…,
 * "nodes":…,"counts":…}],"nodes":[{"name":…,"pool":{"kind":…,"name":…},"agent":{"standing":…,"heartbeat":…,"version":…},"notes":[…],
 * "capabilities":{capability:{"answer":…,"because":…,"cautions":[…],"ways":[…]}}}]}`. Yields parts, so that the whole is never in memory. The
 * counts of a capability add up to the number of nodes: yes, no and unknown are those of fresh nodes only.
 */
export function* fleetJson(fleet: Fleet): Generator<string> {
  const { now, server, capabilities, pools } = fleet
  const nodes = nodesOf(fleet)
  const each = <T>(of: (capability: Fleet['capabilities'][number]) => T) =>
    Object.fromEntries(capabilities.map(name => [name, of(name)]))
  const head = {
    schema: 1,
    at: new Date(now.at).toISOString(),
    server,
    counts: each(name => countsOf(nodes, name, now)),
    agents: standingsOf(nodes, now),
    ways: each(name => waysOf(nodes, name)),
    pools: pools.map(({ pool, nodes: those }) => ({
      ...pool,
      nodes: those.length,
      counts: each(name => countsOf(those, name, now))
    }))
  }
  yield `${JSON.stringify(head).slice(0, -1)},"nodes":[`
  for (const [index, node] of nodes.entries()) yield `${index === 0 ? '' : ','}\n${JSON.stringify(nodeJson(node, fleet))}`
  yield '\n]}\n'
}

const nodeJson = (node: FleetNode, { now, capabilities }: Fleet) => ({
  name: node.name,
  pool: node.pool,
  agent: {
    standing: standingOf(node, now),
    heartbeat: Number.isNaN(node.heartbeat) ? null : new Date(node.heartbeat).toISOString(),
    version: node.report?.version ?? null
  },
  notes: node.notes,
  capabilities: Object.fromEntries(
    capabilities.flatMap(name => {
      const stated = reportedVerdict(node, name)
      return stated === undefined ? [] : [[name, stated]]
    })
  )
})
