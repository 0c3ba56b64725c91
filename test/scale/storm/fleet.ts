import type { Snapshot } from '../../../src/cycle/snapshot.ts'
import { labels } from '../../../src/node-sync/labels.ts'
import { live } from './agent.ts'
import { createServer, type Server, type ServerNode } from './server.ts'
import { createTime, dice, type Time } from './time.ts'

const HEARTBEAT = 300_000
/** Made once: an exception for each of 15,000 agents takes time. */
const ENDED = new Error('the simulation ends')

/** Agents on their Nodes, an API server, and what was asked of it. */
export interface SimulatedFleet {
  readonly time: Time
  readonly server: Server
  readonly nodes: readonly ServerNode[]
  readonly random: () => number
  /** Requests in each second, by what they asked. */
  readonly asked: readonly Readonly<Record<string, number>>[]
  readonly start: (node: ServerNode, snapshot: Snapshot) => void
  readonly stop: (node: ServerNode) => void
  /** Agents whose Node is watched and tells what the agent saw. */
  readonly right: () => number
  /** Ends all agents. Throws what any of them threw. */
  readonly end: () => Promise<void>
}

/** Nodes as agents left them that have run for a long time: labelled, with a heartbeat of some age. Nobody lives there yet. */
export async function simulatedFleet(agents: number, snapshot: Snapshot, seed: number): Promise<SimulatedFleet> {
  const time = createTime()
  const random = dice(seed)
  const asked: Record<string, number>[] = []
  const server = createServer({
    ...{ time, random },
    onRequest: what => {
      const second = Math.floor(time.elapsed() / 1000)
      for (let missing = asked.length; missing <= second; missing += 1) asked.push({})
      const counts = asked[second] as Record<string, number>
      counts[what] = (counts[what] ?? 0) + 1
    }
  })
  const running = new Map<ServerNode, Running>()
  const failures: unknown[] = []
  const start = (node: ServerNode, seen: Snapshot): void => {
    const ending = new AbortController()
    const connection = server.connect(node)
    const ended = live({ name: node.name, connection, snapshot: seen, time, random, signal: ending.signal }).catch(error => {
      failures.push(error)
    })
    running.set(node, { ending, ended, wanted: Object.entries(labels(seen, 'berth.dev')) })
  }
  const stop = (node: ServerNode): void => {
    running.get(node)?.ending.abort(ENDED)
    running.delete(node)
  }
  const model = nodeCalled('model')
  start(model, snapshot)
  await time.until(10_000)
  stop(model)
  const nodes = Array.from({ length: agents }, (_, index) => aged(model, `n${index}`, { time, random }))
  asked.length = 0
  return {
    ...{ time, server, nodes, random, asked, start, stop },
    right: () => nodes.filter(node => node.stream !== undefined && isRight(node, running.get(node))).length,
    end: async () => {
      const all = [...running.values()]
      for (const { ending } of all) ending.abort(ENDED)
      await time.until(time.elapsed() + 20_000)
      await Promise.all(all.map(({ ended }) => ended))
      if (failures.length > 0) throw new AggregateError(failures, `${failures.length} agents failed`)
    }
  }
}

interface Running {
  readonly ending: AbortController
  readonly ended: Promise<void>
  readonly wanted: readonly (readonly [string, string])[]
}

const isRight = (node: ServerNode, running: Running | undefined): boolean =>
  running?.wanted.every(([key, value]) => node.labels[key] === value) ?? false

const nodeCalled = (name: string): ServerNode => ({
  ...{ name, version: 1, stream: undefined },
  ...{ labels: {}, annotations: {}, conditions: [] }
})

/** The same Node under another name, whose last heartbeat is some time ago. */
function aged(model: ServerNode, name: string, { time, random }: Pick<SimulatedFleet, 'time' | 'random'>): ServerNode {
  const lastHeartbeatTime = new Date(time.now().getTime() - random() * HEARTBEAT).toISOString()
  return {
    ...nodeCalled(name),
    labels: { ...model.labels },
    annotations: { ...model.annotations },
    conditions: model.conditions.map(condition => ({ ...condition, lastHeartbeatTime }))
  }
}
