import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { termsOf } from '../../../src/cli/command.ts'
import { parseConfig } from '../../../src/cli/config.ts'
import { cycle } from '../../../src/cycle/cycle.ts'
import type { Snapshot } from '../../../src/cycle/snapshot.ts'
import { parseRecording, recordedHost } from '../../../src/host/recorded.ts'
import { type SimulatedFleet, simulatedFleet } from './fleet.ts'
import type { ServerNode } from './server.ts'

/** Milliseconds since the beginning: the agents come, check their guard within a quarter of an hour, and then the storm. */
const STARTING = 60_000
const CAUSE = 975_000
/** A node gets its new pod so long after the old one was told to end, and the pod is ready so long after its start (milliseconds). */
const REPLACED = { least: 3_000, most: 13_000 }
const READY = { least: 1_000, most: 6_000 }

interface Storm {
  readonly title: string
  /** What is assumed of the cause, for people. */
  readonly cause: string
  /** Resolves when the cause is over. */
  readonly happens: (fleet: SimulatedFleet, looks: Looks) => Promise<void>
}

interface Looks {
  readonly usual: Snapshot
  /** After an option was changed, by which a label is another. */
  readonly changed: Snapshot
  /** Under another boot id. */
  readonly booted: Snapshot
}

export const STORMS: Readonly<Record<string, Storm>> = {
  restart: {
    title: 'API server restart',
    cause: 'the only API server closes all streams properly, is away for 5 s, and has then forgotten all resource versions',
    happens: fleet => away(fleet, 5, 'ended')
  },
  outage: {
    title: '60 s outage',
    cause: 'all connections are cut, nothing listens for 60 s',
    happens: fleet => away(fleet, 60, 'cut')
  },
  rollout: {
    title: 'rollout of a new image',
    cause: '10 % of the pods at a time, each replaced within 3 to 13 s and ready 1 to 6 s later, no limit by the controller',
    happens: (fleet, { usual }) => rollOut(fleet, usual)
  },
  option: {
    title: 'one option changed',
    cause: 'the same rollout, and one label of every Node changes',
    happens: (fleet, { changed }) => rollOut(fleet, changed)
  },
  deletion: {
    title: 'mass label deletion',
    cause: 'somebody deletes one label of every Node within 30 s, 500 of 15,000 a second',
    happens: deleteLabels
  },
  boot: {
    title: 'new boot of all nodes',
    cause: 'all nodes go down at once, and their agents start 40 to 100 s later',
    happens: (fleet, { booted }) => bootAll(fleet, booted)
  },
  fairness: {
    title: '429 from priority and fairness',
    cause:
      'all connections are cut, and for 60 s the server takes 500 requests a second (of 15,000 agents) and answers all others 429, Retry-After 1',
    happens: async fleet => {
      const { server, time, nodes } = fleet
      server.capacity = nodes.length / 30
      server.drop('cut')
      await time.until(time.elapsed() + 60_000)
      server.capacity = Number.POSITIVE_INFINITY
    }
  }
}

export interface StormResult {
  readonly agents: number
  /** Requests in the busiest second, refused ones and attempts at a closed port included. */
  readonly peak: number
  /** Requests a second in the busiest five seconds: what chance does to one second is not in it. */
  readonly sustained: number
  readonly total: number
  readonly requests: Readonly<Record<string, number>>
  /** Seconds that the cause lasts. */
  readonly cause: number
  /** Seconds from the end of the cause until all agents watch and all labels are right. */
  readonly rightAfter: number
  /** Seconds from the end of the cause to the last second with more than twice the usual requests. */
  readonly calmAfter: number
  /** Requests a second before the storm. */
  readonly usual: number
  /** Requests in each second, from five seconds before the cause. */
  readonly seconds: readonly number[]
}

const BEFORE = 5

export async function simulate(storm: Storm, agents: number, seed = 1): Promise<StormResult> {
  const looks = await takeLooks()
  const fleet = await simulatedFleet(agents, looks.usual, seed)
  const { time, nodes, random, asked } = fleet
  const began = time.elapsed()
  for (const node of nodes) time.at(began + random() * STARTING, () => fleet.start(node, looks.usual))
  await time.until(began + CAUSE)
  const from = Math.floor(time.elapsed() / 1000)
  await storm.happens(fleet, looks)
  const cause = (time.elapsed() - began - CAUSE) / 1000
  let rightAfter = fleet.right() === agents ? 0 : Number.NaN
  for (let second = 1; second <= 90; second += 1) {
    await time.until(time.elapsed() + 1000)
    if (Number.isNaN(rightAfter) && fleet.right() === agents) rightAfter = second
  }
  const to = Math.floor(time.elapsed() / 1000)
  await fleet.end()
  const counted = asked.slice(from - BEFORE, to).map(counts => total(Object.values(counts)))
  // The last ones may have been silent.
  const seconds = Array.from({ length: to - from + BEFORE }, (_, index) => counted[index] ?? 0)
  const usual = total(seconds.slice(0, BEFORE)) / BEFORE
  const storming = seconds.slice(BEFORE)
  return {
    agents,
    peak: Math.max(...storming),
    sustained: Math.max(...storming.map((_, index) => total(storming.slice(index, index + 5)) / 5)),
    total: total(storming),
    requests: byKind(asked.slice(from, to)),
    cause,
    rightAfter,
    calmAfter: Math.max(0, storming.findLastIndex(count => count > 2 * usual + agents / 500) + 1 - Math.ceil(cause)),
    usual,
    seconds
  }
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0)

function byKind(asked: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const kinds: Record<string, number> = {}
  for (const counts of asked) for (const [what, count] of Object.entries(counts)) kinds[what] = (kinds[what] ?? 0) + count
  return kinds
}

async function takeLooks(): Promise<Looks> {
  const text = readFileSync(join(import.meta.dirname, '../../nodes/debian-12-headers.yaml'), 'utf8')
  const clock = { elapsed: () => 0, now: () => new Date('2026-01-01T00:00:00Z') }
  const look = (recording: string, ...options: readonly string[]) =>
    cycle(
      { host: recordedHost(parseRecording(recording)), node: undefined, podSecurity: undefined },
      termsOf(parseConfig(options, {}, {})),
      clock
    )
  const usual = await look(text)
  const bootId = usual.facts['boot-id']
  if (!bootId.known) throw new Error('the recorded node has no boot id')
  return {
    usual,
    changed: await look(text, 'run', '--minimum-kernel', '9.9'),
    booted: await look(text.replaceAll(bootId.value, '99999999-1111-4111-8111-111111111111'))
  }
}

async function away({ server, time }: SimulatedFleet, seconds: number, how: 'cut' | 'ended'): Promise<void> {
  server.isUp = false
  server.drop(how)
  server.forget()
  await time.until(time.elapsed() + seconds * 1000)
  server.isUp = true
}

const between = (random: () => number, { least, most }: { readonly least: number; readonly most: number }): number =>
  least + random() * (most - least)

async function rollOut({ time, nodes, random, start, stop }: SimulatedFleet, seen: Snapshot): Promise<void> {
  const next = nodes.values()
  let missing = nodes.length
  const replace = (node: ServerNode | undefined): void => {
    if (node === undefined) return
    stop(node)
    const started = time.elapsed() + between(random, REPLACED)
    time.at(started, () => start(node, seen))
    time.at(started + between(random, READY), () => {
      missing -= 1
      replace(next.next().value)
    })
  }
  for (let place = 0; place < nodes.length / 10; place += 1) replace(next.next().value)
  while (missing > 0) await time.until(time.elapsed() + 1000)
}

async function deleteLabels({ server, time, nodes }: SimulatedFleet): Promise<void> {
  const from = time.elapsed()
  const pace = 30_000 / nodes.length
  for (const [index, node] of nodes.entries()) time.at(from + index * pace, () => server.change(node, { 'berth.dev/cvm': null }))
  await time.until(from + 30_001)
}

async function bootAll({ time, nodes, random, start, stop }: SimulatedFleet, seen: Snapshot): Promise<void> {
  const from = time.elapsed()
  for (const node of nodes) {
    stop(node)
    time.at(from + between(random, { least: 40_000, most: 100_000 }), () => start(node, seen))
  }
  await time.until(from + 100_001)
}
