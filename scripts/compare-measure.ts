import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { requestsIn } from '../test/support/cluster/audit-log.ts'
import type { ControlPlane } from '../test/support/cluster/control-plane.ts'
import { countingProxy } from '../test/support/cluster/counting-proxy.ts'
import { createNode, type NodeObject, realisticNode } from '../test/support/cluster/nodes.ts'
import { watchFor } from './bench-watch.ts'
import { type Agent, endAll, type Started, startProgram, withLogs } from './compare-agent.ts'
import { openStage, type Stage } from './compare-changes.ts'
import { type FirstLabels, firstLabels, type Labels, labelsOf, ownLabels } from './compare-first-label.ts'
import { type Usage, usageOf } from './compare-process.ts'

export interface Result extends FirstLabels {
  readonly title: string
  readonly labels: number
  /** At the end of the idle time; `cpu` is what it took in this time. */
  readonly usage: readonly Usage[]
  readonly requests: Readonly<Record<string, number>>
  /** That the API server sent in the idle time. */
  readonly received: number
  /** Milliseconds from a change of the node to the event that tells a watcher of the changed label. */
  readonly version: readonly number[]
  readonly fuse: readonly number[]
  readonly sizes: Readonly<Record<string, number>>
}

/** Changes of the mode of /dev/fuse. */
const RUNS = 5
/** Milliseconds from a look at the node, which both take every 60 s, to the next change. The idle time ends 10 s after one, too. */
const WAITS = [0, 30_000, 50_000]
const SETTLE = 10_000 // milliseconds

export interface Plan {
  /** Milliseconds. */
  readonly idle: number
  /** The label with the version of the operating system, and the one that depends on the mode of /dev/fuse, if there is one. */
  readonly labels: { readonly version: string; readonly fuse?: string }
}

/** Takes a quarter of an hour at most; most of it is waiting. */
export async function measure(plane: ControlPlane, agent: Agent, plan: Plan): Promise<Result> {
  const first = await firstLabels(plane, agent)
  const stage = await openStage()
  try {
    const long = await runLong(plane, { agent, stage, plan })
    return { title: agent.title, ...first, ...long, sizes: await agent.sizes() }
  } finally {
    await stage.close()
  }
}

interface Long {
  readonly agent: Agent
  readonly stage: Stage
  readonly plan: Plan
}

const NODE = 'idle'

/** As a device plugin for /dev/fuse would report it: without one, the mode of the file decides nothing. */
function withFuse(node: NodeObject): NodeObject {
  const offer = (field: string) => ({ [field]: { ...(node.status[field] as object), 'berth.dev/fuse': '100' } })
  return { ...node, status: { ...node.status, ...offer('capacity'), ...offer('allocatable') } }
}

/** One run through the idle time and all changes. */
async function runLong(plane: ControlPlane, { agent, stage, plan }: Long) {
  await createNode(plane, withFuse(realisticNode(NODE)))
  const proxy = await countingProxy(plane.url)
  const { seen, opened } = watchFor(plane, NODE, event => ownLabels(event, agent).length > 0)
  await opened
  const programs = await agent.programs(NODE, proxy.url)
  const started = await Promise.all(programs.map(program => startProgram(plane, program, stage.inside)))
  try {
    await withLogs(started, seen)
    const idle = await idleTime(plane, plan.idle, { agent, started, received: proxy.received })
    const { body } = await plane.api<NodeObject>('GET', `/api/v1/nodes/${NODE}`)
    const labels = Object.keys(body.metadata.labels ?? {}).filter(key => key.startsWith(agent.prefix)).length
    const version = await versionChanges(plane, stage, plan.labels.version)
    const fuse = plan.labels.fuse === undefined ? [] : await fuseChanges(plane, stage, plan.labels.fuse)
    return { ...idle, labels, version, fuse }
  } finally {
    await endAll(started)
    await proxy.close()
  }
}

interface Idle {
  readonly agent: Agent
  readonly started: readonly Started[]
  readonly received: () => number
}

async function idleTime(plane: ControlPlane, milliseconds: number, { agent, started, received }: Idle) {
  await sleep(SETTLE)
  const [from, bytes, before] = [new Date(), received(), await usageOf(started)]
  await sleep(milliseconds)
  const [to, after] = [new Date(), await usageOf(started)]
  return {
    usage: after.map((one, index) => ({ ...one, cpu: one.cpu - (before[index]?.cpu ?? 0) })),
    received: received() - bytes,
    requests: await requestsIn(await readFile(plane.auditLog, 'utf8'), { user: agent.user, from, to })
  }
}

async function versionChanges(plane: ControlPlane, stage: Stage, key: string): Promise<readonly number[]> {
  const times: number[] = []
  for (const [index, wait] of WAITS.entries()) {
    const version = 771 + index
    await sleep(wait)
    const isNew = (labels: Labels) => labels[key]?.includes(`${version}`) === true
    times.push(await changeTime(plane, isNew, () => stage.setVersion(version)))
  }
  return times
}

async function fuseChanges(plane: ControlPlane, stage: Stage, key: string): Promise<readonly number[]> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const isOpen = run % 2 === 1
    const isNew = (labels: Labels) => labels[key] === `${isOpen}`
    times.push(await changeTime(plane, isNew, () => stage.setFuseMode(isOpen ? 0o666 : 0o600)))
    await sleep(5_000 + 200 * run) // not in step with the agent's second
  }
  return times
}

async function changeTime(plane: ControlPlane, isNew: (labels: Labels) => boolean, change: () => Promise<void>): Promise<number> {
  const { seen, opened } = watchFor(plane, NODE, event => isNew(labelsOf(event)), 150)
  await opened
  const at = performance.now()
  await change()
  return (await seen) - at
}
