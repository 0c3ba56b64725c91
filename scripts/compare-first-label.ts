import { setTimeout as sleep } from 'node:timers/promises'
import { succeeded } from '../test/support/cluster/api.ts'
import type { ControlPlane } from '../test/support/cluster/control-plane.ts'
import { createNode, type NodeObject, realisticNode } from '../test/support/cluster/nodes.ts'
import { watchFor } from './bench-watch.ts'
import { type Agent, endAll, type Program, type Started, startProgram, withLogs } from './compare-agent.ts'

export type Labels = Readonly<Record<string, string>>

/** Milliseconds from the start to the event that tells a watcher of the first label. */
export interface FirstLabels {
  /** All programs were started at once. */
  readonly together: readonly number[]
  /** Those of the cluster had been running when those of the node were started. */
  readonly alone: readonly number[]
}

const RUNS = 5

/** Each on a Node of its own. The first run of each kind fills the machine's caches, and is not counted. */
export async function firstLabels(plane: ControlPlane, agent: Agent): Promise<FirstLabels> {
  const [together, alone]: [number[], number[]] = [[], []]
  for (let run = 0; run <= RUNS; run += 1) {
    together.push(await firstLabel(plane, agent, { node: `together-${run}`, before: () => false }))
    alone.push(await firstLabel(plane, agent, { node: `alone-${run}`, before: ({ runs }) => runs === 'cluster' }))
  }
  return { together: together.slice(1), alone: alone.slice(1) }
}

interface FirstLabel {
  readonly node: string
  /** Which programs have been running for a while when the others start. */
  readonly before: (program: Program) => boolean
}

async function firstLabel(plane: ControlPlane, agent: Agent, { node, before }: FirstLabel): Promise<number> {
  await createNode(plane, realisticNode(node))
  const programs = await agent.programs(node, plane.url)
  const started: Started[] = []
  const start = async (some: readonly Program[]) => {
    started.push(...(await Promise.all(some.map(program => startProgram(plane, program)))))
  }
  const early = programs.filter(before)
  try {
    await start(early)
    if (early.length > 0) await sleep(5_000)
    const { seen, opened } = watchFor(plane, node, event => ownLabels(event, agent).length > 0)
    await opened
    const at = performance.now()
    await start(programs.filter(program => !before(program)))
    return (await withLogs(started, seen)) - at
  } finally {
    await endAll(started)
    await agent.clean()
    await succeeded(`delete ${node}`, plane.api('DELETE', `/api/v1/nodes/${node}`))
  }
}

/** Of the Node in an event of a watch. */
export const labelsOf = (event: string): Labels =>
  (JSON.parse(event) as { readonly object: NodeObject }).object.metadata.labels ?? {}

export const ownLabels = (event: string, { prefix }: Agent): readonly string[] =>
  Object.keys(labelsOf(event)).filter(key => key.startsWith(prefix))
