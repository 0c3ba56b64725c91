import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../test/support/cluster/agent-process.ts'
import { type ControlPlane, startControlPlane } from '../test/support/cluster/control-plane.ts'
import { countingProxy } from '../test/support/cluster/counting-proxy.ts'
import { applyManifests } from '../test/support/cluster/manifests.ts'
import { createNode, realisticNode } from '../test/support/cluster/nodes.ts'
import { line } from './bench-print.ts'
import { agentKubeconfig, cpuSeconds, memory, start } from './bench-process.ts'
import { watchFor } from './bench-watch.ts'

/** Counted runs, after one that is not counted. */
const RUNS = 9
const NAME = 'bench'
const NODE_PATH = `/api/v1/nodes/${NAME}`
const KEY = 'berth.dev/cvm'
/** One after the other, since many repairs of one key are a tug-of-war, which the agent leaves alone. */
const KEYS = ['cvm', 'cached-cvm', 'gpu', 'gpu-cvm', 'podman', 'sysbox', 'userns', 'kvm', 'machine'].map(
  name => `berth.dev/${name}`
)
/** A status heartbeat comes once in this time, so that each window holds about one (milliseconds). */
const REST = 300_000

/** The agent from the bundle, on a real etcd and kube-apiserver and a Node of 20 kB. Takes about ten minutes: it mostly waits. */
export async function benchAgent(bundle: string, env: Record<string, string>): Promise<void> {
  const plane = await startControlPlane()
  try {
    await applyManifests(plane)
    await createNode(plane, realisticNode(NAME))
    const kubeconfig = await agentKubeconfig(plane, NAME, plane.url)
    const commands = { 'run --once': ['--once'], run: ['--listen', '127.0.0.1:0'] }
    for (const [name, more] of Object.entries(commands)) {
      for (const [cache, variables] of [['no compile cache', {}] as const, ['warm compile cache', env] as const]) {
        const begin = () => start({ bundle, env: variables, kubeconfig, node: NAME, more })
        line(`${name}: start to label, ${cache}`, await repeated(() => startToLabel(plane, begin)), 'ms')
      }
    }
    await benchDaemon(plane, bundle, env)
  } finally {
    await plane.close()
  }
}

async function repeated(once: (index: number) => Promise<number>): Promise<readonly number[]> {
  const times: number[] = []
  for (let index = 0; index <= RUNS; index += 1) times.push(await once(index))
  return times.slice(1)
}

/** From the start of the process to the event that tells a watcher of the label (milliseconds). */
async function startToLabel(plane: ControlPlane, begin: () => ReturnType<typeof start>): Promise<number> {
  await plane.api('PATCH', NODE_PATH, { metadata: { labels: { [KEY]: null } } })
  const { seen, opened } = watchFor(plane, NAME, event => event.includes(`"${KEY}":"`))
  await opened
  const at = performance.now()
  const child = begin()
  const took = (await seen) - at
  child.kill('SIGTERM')
  await child
  return took
}

/** One daemon through all of it: rest, tampering, a frozen API, a killed one. */
async function benchDaemon(plane: ControlPlane, bundle: string, env: Record<string, string>): Promise<void> {
  const proxy = await countingProxy(plane.url)
  const kubeconfig = await agentKubeconfig(plane, NAME, proxy.url)
  const child = start({ bundle, env, kubeconfig, node: NAME, more: ['--listen', '127.0.0.1:0'] })
  let exits = 0
  child.then(() => {
    exits += 1
  })
  try {
    await isRight(plane)
    await benchRest(child.pid as number, proxy.received)
    line(
      'a falsified label is right again',
      await repeated(index => repairTime(plane, KEYS[index % KEYS.length] as string, 'falsified')),
      'ms'
    )
    line(
      'a deleted label is right again',
      await repeated(index => repairTime(plane, KEYS[index % KEYS.length] as string, null)),
      'ms'
    )
    line(
      'catches up after the API was frozen for 60 s',
      [await outage(plane, 60_000, plane.freeze, async () => plane.thaw())],
      's'
    )
    line('catches up after the API was killed for 65 s', [await outage(plane, 65_000, plane.crash, plane.start)], 's')
    line('exits of the agent in all this', [exits], '')
  } finally {
    child.kill('SIGTERM')
    await child
    await proxy.close()
  }
}

const isRight = (plane: ControlPlane): Promise<unknown> =>
  eventually(
    'the label is right',
    async () => {
      const { body } = await plane.api<{ readonly metadata: { readonly labels: Readonly<Record<string, string>> } }>(
        'GET',
        NODE_PATH
      )
      return ['true', 'false', 'unknown'].includes(body?.metadata.labels[KEY] ?? '')
    },
    60_000
  )

async function benchRest(pid: number, received: () => number): Promise<void> {
  await sleep(10_000)
  const [bytes, cpu] = [received(), cpuSeconds(pid)]
  await sleep(180_000)
  line('CPU in 3 idle minutes', [(cpuSeconds(pid) - cpu) * 1000], 'ms')
  line('resident memory after 3 minutes', [memory(pid, 'VmRSS')], 'MiB')
  line('of that anonymous', [memory(pid, 'RssAnon')], 'MiB')
  await sleep(REST - 180_000)
  line('bytes from the API at rest, a minute', [(received() - bytes) / (REST / 60_000) / 1000], 'kB')
}

/** From the wrong label to the event that tells a watcher of the right one (milliseconds). */
async function repairTime(plane: ControlPlane, key: string, value: string | null): Promise<number> {
  const right = new RegExp(`"${key}":"(?!falsified)`)
  let isWrong = false
  const { seen, opened } = watchFor(plane, NAME, event => {
    isWrong ||= !right.test(event)
    return isWrong && right.test(event)
  })
  await opened
  const at = performance.now()
  await plane.api('PATCH', NODE_PATH, { metadata: { labels: { [key]: value } } })
  return (await seen) - at
}

/** From the moment that the API answers again to the right label, which is made wrong in that moment (seconds). */
async function outage(plane: ControlPlane, time: number, begin: () => unknown, end: () => Promise<void>): Promise<number> {
  await begin()
  await sleep(time)
  await end()
  await eventually(
    'the API answers',
    async () => (await plane.api('PATCH', NODE_PATH, { metadata: { labels: { [KEY]: 'falsified' } } })).status === 200,
    60_000
  )
  const at = performance.now()
  await isRight(plane)
  return (performance.now() - at) / 1000
}
