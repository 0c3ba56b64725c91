import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AgentProcess,
  BOOT,
  bootId,
  endAgents,
  eventually,
  type HostRoot,
  nodeOf,
  OS_RELEASE,
  oursOf,
  ownKubeconfig,
  RELEASE,
  startAgent
} from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { applyManifests } from '../support/cluster/manifests.ts'
import { createNode, type NodeObject, realisticNode } from '../support/cluster/nodes.ts'
import { recordedRoot } from './agent-roots.ts'
import { historyOf, KEEPS_HISTORY, type Labels, storyOf } from './agent-truth.ts'

const recorded = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')
const SECCOMP = 'proc/sys/kernel/seccomp/actions_avail'
const VENDOR = 'sys/bus/pci/devices/0000:00:05.0/vendor'

/** What happens on a node while the API is away, in each of three outages, and which labels are right afterwards. */
interface Life {
  readonly options?: readonly string[]
  readonly happens?: readonly ((home: Home) => unknown)[]
  readonly changes?: readonly Labels[]
  /** What somebody does to the labels in the moment when the API is back. */
  readonly falsified?: Labels
  /** What else is to be seen when the agent has caught up. */
  readonly tells?: (node: NodeObject, round: number) => boolean
  readonly asAdministrator?: true
}

interface Home {
  readonly name: string
  readonly root: HostRoot
  readonly kubeconfig: string
  readonly life: Life
  agent: AgentProcess
  /** The labels that were right, one set for each time. */
  readonly right: Labels[]
}

const OFTEN = ['--interval', '2s'] as const
const withNotif = 'kill_process kill_thread trap errno user_notif trace log allow\n'
const without = withNotif.replace('user_notif ', '')
const isHost = (value: 'true' | 'false'): Labels => ({ 'berth.dev/cvm': value, 'berth.dev/cached-cvm': value })
const hardware = (value: 'none' | 'unknown'): Labels => ({ 'berth.dev/gpu-hardware': value })
const writes = (file: string, ...texts: readonly string[]) =>
  texts.map(
    text =>
      ({ root }: Home) =>
        root.write(file, text)
  )
const kernels = ['5.17.0-1-gke\n', '6.8.0-2-gke\n', '6.11.0-3-gke\n']

const LIVES: Readonly<Record<string, Life>> = {
  'out-quiet': { falsified: { 'berth.dev/machine': 'falsified' } },
  'out-kernel': {
    options: OFTEN,
    happens: writes(RELEASE, ...kernels),
    changes: [
      { 'berth.dev/kernel': '5.17' },
      { 'berth.dev/kernel': '6.8', 'berth.dev/userns': 'true' },
      { 'berth.dev/kernel': '6.11' }
    ]
  },
  // Seen without --interval, since /proc/modules is looked at every second.
  'out-modules': {
    happens: [
      ({ root }) => root.write('proc/modules', 'shiftfs 1 0 - Live 0x0000000000000000\n'),
      ({ root }) => root.write('proc/modules', ''),
      ({ root }) => root.write('proc/modules', 'shiftfs 1 0 - Live 0x0000000000000000\n')
    ],
    changes: [{ 'berth.dev/shiftfs': 'loaded' }, { 'berth.dev/shiftfs': 'loadable' }, { 'berth.dev/shiftfs': 'loaded' }]
  },
  'out-seccomp': {
    options: OFTEN,
    happens: writes(SECCOMP, without, withNotif, without),
    changes: [isHost('false'), isHost('true'), isHost('false')]
  },
  'out-boot': {
    options: OFTEN,
    happens: writes(BOOT, bootId('1'), bootId('2'), bootId('3')),
    tells: ({ metadata }, round) => metadata.annotations?.['berth.dev/report']?.includes(bootId(`${round + 1}`).trim()) ?? false
  },
  // It has nothing but its memory to repair the label from.
  'out-unreadable': {
    options: OFTEN,
    happens: [
      ({ root }) => root.spoil(OS_RELEASE),
      () => undefined,
      ({ root }) => root.write(OS_RELEASE, 'ID=debian\nVERSION_ID="12"\n')
    ],
    changes: [{}, {}, { 'berth.dev/distro': 'debian-12' }],
    falsified: { 'berth.dev/distro': 'falsified' }
  },
  'out-unknown': {
    options: [...OFTEN, '--unknown-after', '20s'],
    happens: [({ root }) => root.spoil(VENDOR), ({ root }) => root.write(VENDOR, '0x1af4\n'), ({ root }) => root.spoil(VENDOR)],
    changes: [hardware('unknown'), hardware('none'), hardware('unknown')]
  },
  // Ends during the outage and is started anew without an API.
  'out-restarted': {
    happens: [without, withNotif, without].map(text => async (home: Home) => {
      await home.agent.kill('SIGKILL')
      home.root.write(SECCOMP, text)
      home.agent = await startAgent(home.name, home.kubeconfig, ['--host-root', home.root.path])
    }),
    changes: [isHost('false'), isHost('true'), isHost('false')]
  },
  // No guard holds this one, so it asks for the guard with each look.
  'out-unguarded': {
    options: OFTEN,
    asAdministrator: true,
    happens: writes(SECCOMP, without, withNotif, without),
    changes: [isHost('false'), isHost('true'), isHost('false')]
  }
}

let cluster: ControlPlane
let homes: readonly Home[]

beforeAll(async () => {
  cluster = await startControlPlane({ apiServerFlags: KEEPS_HISTORY })
  await applyManifests(cluster)
  homes = await Promise.all(Object.entries(LIVES).map(([name, life]) => settle(name, life)))
})
afterAll(async () => {
  await endAgents()
  for (const { root } of homes ?? []) root.remove()
  await cluster?.close()
})

async function settle(name: string, life: Life): Promise<Home> {
  await createNode(cluster, realisticNode(name))
  const root = recordedRoot(recorded)
  const kubeconfig = life.asAdministrator ? cluster.kubeconfig : await ownKubeconfig(cluster, name)
  const agent = await startAgent(name, kubeconfig, ['--host-root', root.path, ...(life.options ?? [])])
  await eventually(`${name} is ready`, async () => (await agent.get('/readyz')).status === 200, 60_000)
  const labels = await nodeOf(cluster, name).ours()
  expect(labels).toMatchObject({ 'berth.dev/cvm': 'true', 'berth.dev/cached-cvm': 'true', 'berth.dev/shiftfs': 'loadable' })
  return { name, root, kubeconfig, life, agent, right: [labels] }
}

/** Resolves to the moment when the API answers an ordinary question again. */
async function firstAnswer(): Promise<number> {
  const path = `/api/v1/nodes/${Object.keys(LIVES)[0]}`
  await eventually('the API answers', async () => (await cluster.api('GET', path)).status === 200, 60_000)
  return performance.now()
}

/** Lets all that happens in this round happen on all nodes. */
async function change(round: number): Promise<void> {
  for (const home of homes) {
    await home.life.happens?.[round]?.(home)
    home.right.push({ ...(home.right.at(-1) as Labels), ...home.life.changes?.[round] })
  }
}

async function everyoneIsWell(): Promise<void> {
  for (const { name, agent } of homes) {
    expect(agent.alive(), `${name} lives`).toBe(true)
    expect(await agent.get('/healthz'), `${name} is healthy`).toMatchObject({ status: 200 })
  }
}

/** How long each took to catch up (milliseconds) since the API answered, for people: on a busy machine it says little. */
async function catchUp(round: number, since: number): Promise<Readonly<Record<string, number>>> {
  for (const { name, life } of homes) if (life.falsified !== undefined) await nodeOf(cluster, name).label(life.falsified)
  const took: Record<string, number> = {}
  await eventually('everyone has caught up', async () => {
    const { items } = await succeeded('list', cluster.api<{ readonly items: readonly NodeObject[] }>('GET', '/api/v1/nodes'))
    for (const node of items) {
      const home = homes.find(({ name }) => name === node.metadata.name)
      if (home !== undefined && hasCaughtUp(home, node, round)) took[home.name] ??= Math.round(performance.now() - since)
    }
    const missing = homes.filter(({ name }) => took[name] === undefined)
    if (missing.length > 0)
      throw new Error(`not yet: ${JSON.stringify(took)}, and ${missing.map(home => lastWords(home)).join('\n')}`)
    return true
  })
  return took
}

const hasCaughtUp = ({ right, life }: Home, node: NodeObject, round: number): boolean =>
  same(oursOf(node), right.at(-1) as Labels) && (life.tells?.(node, round) ?? true)

const same = (some: Labels, others: Labels): boolean => JSON.stringify(some) === JSON.stringify(others)

/** What the agent did lately, to find out what took it so long. */
const lastWords = ({ name, agent }: Home): string => [name, ...agent.said().trimEnd().split('\n').slice(-40)].join('\n')

async function comesBack(what: string, round: number, since: number): Promise<void> {
  const took = await catchUp(round, since)
  const slowest = Math.max(...Object.values(took))
  console.info(`${what}: all ${homes.length} agents caught up within ${slowest} ms: ${JSON.stringify(took)}`)
  await everyoneIsWell()
}

describe('the control plane goes away, and while it is away the nodes change', () => {
  test('frozen for 60 s', { timeout: 180_000 }, async () => {
    cluster.freeze()
    await sleep(20_000)
    await change(0)
    await sleep(40_000)
    await everyoneIsWell()
    cluster.thaw()
    await comesBack('frozen for 60 s', 0, await firstAnswer())
  })

  test('killed for 65 s', { timeout: 180_000 }, async () => {
    await cluster.crash()
    await sleep(20_000)
    await change(1)
    await sleep(45_000)
    await everyoneIsWell()
    const [since] = await Promise.all([firstAnswer(), cluster.start()])
    await comesBack('killed for 65 s', 1, since)
  })

  test('frozen, killed while frozen, and started after 65 s', { timeout: 180_000 }, async () => {
    cluster.freeze()
    await sleep(25_000)
    await change(2)
    await sleep(10_000)
    await cluster.crash()
    await sleep(30_000)
    await everyoneIsWell()
    const [since] = await Promise.all([firstAnswer(), cluster.start()])
    await comesBack('frozen and killed for 65 s', 2, since)
  })

  test('no label was ever wrong, flapped or vanished', async () => {
    for (const { name, right, life } of homes) {
      const versions = await historyOf(cluster.etcd, name)
      const isForged = (key: string, value: string) => life.falsified?.[key] === value
      // The keys came together, and the truth of each moment followed upon the one before.
      expect(storyOf(versions, isForged), name).toEqual(storyOf(right, () => false))
    }
  })
})
