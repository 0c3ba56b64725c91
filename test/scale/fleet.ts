import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { ownKubeconfig } from '../support/cluster/agent-process.ts'
import type { ControlPlane } from '../support/cluster/control-plane.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import type { Homes } from './agents.ts'
import { type Counts, requestsIn } from './requests.ts'
import { counterOf, pidOf, usageOf, wireOf } from './usage.ts'

const RECORDING = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')
/** Requests at a time while the cluster is furnished. */
const AT_ONCE = 8

export interface Fleet {
  readonly pids: readonly number[]
  readonly end: () => Promise<void>
}

/** That many Nodes of 20 kB, each with the kubeconfig of its agent: the token of a pod on it. */
export async function furnish(cluster: ControlPlane, agents: number): Promise<Homes['homes']> {
  const names = Array.from({ length: agents }, (_, index) => `scale-${String(index).padStart(5, '0')}`)
  const homes: { name: string; kubeconfig: string }[] = []
  const next = names.values()
  const work = async () => {
    for (const name of next) {
      await createNode(cluster, realisticNode(name))
      homes.push({ name, kubeconfig: await ownKubeconfig(cluster, name) })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return homes
}

/** Agents in some processes. Resolves when all of them have published; throws when a process ends before. */
export async function startFleet(
  directory: string,
  homes: Homes['homes'],
  { processes, ramp }: { readonly processes: number; readonly ramp: number }
): Promise<Fleet> {
  const files = Array.from({ length: processes }, (_, index) => join(directory, `homes-${index}.json`))
  for (const [index, file] of files.entries()) {
    const mine = homes.filter((_, place) => place % processes === index)
    await writeFile(file, JSON.stringify({ recording: RECORDING, homes: mine, ramp } satisfies Homes))
  }
  const children = files.map(startProcess)
  const end = async () => {
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children)
  }
  try {
    await Promise.all(children.map(child => published(child)))
  } catch (error) {
    await end()
    throw error
  }
  return { pids: children.map(({ pid }) => pid as number), end }
}

const startProcess = (file: string) =>
  execa(process.execPath, [join(import.meta.dirname, 'agents.ts'), file], { reject: false, buffer: false })

function published(child: ReturnType<typeof startProcess>): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (piece: Buffer) => {
      said = (said + piece).slice(-4_000)
    })
    child.stdout.on('data', () => resolve())
    child.then(() => reject(new Error(`agents ended before they had published: ${said}`)))
  })
}

/** All that a while of a fleet cost. */
export interface Measured {
  readonly agents: number
  readonly seconds: number
  readonly requests: Counts
  readonly connections: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly etcdWrites: number
  readonly apiServerCpu: number
  readonly apiServerMemory: number
  readonly etcdCpu: number
}

/** Watches the control plane for a while; without a fleet it is the control plane by itself. */
export async function measure(
  cluster: ControlPlane,
  agents: number,
  seconds: number,
  pids: readonly number[]
): Promise<Measured> {
  const port = new URL(cluster.url).port
  const [apiServer, etcd] = await Promise.all([pidOf('kube-apiserver', cluster.directory), pidOf('etcd', cluster.directory)])
  const look = async () => ({
    at: Date.now(),
    api: await usageOf(apiServer),
    etcd: await usageOf(etcd),
    puts: counterOf(await (await fetch(`${cluster.etcd}/metrics`)).text(), 'etcd_mvcc_put_total'),
    wire: await wireOf(pids, port)
  })
  const before = await look()
  await sleep(seconds * 1000)
  const after = await look()
  return {
    agents,
    seconds,
    requests: await requestsIn(cluster.auditLog, before.at, after.at),
    connections: after.wire.connections,
    bytesSent: after.wire.sent - before.wire.sent,
    bytesReceived: after.wire.received - before.wire.received,
    etcdWrites: after.puts - before.puts,
    apiServerCpu: after.api.cpu - before.api.cpu,
    apiServerMemory: after.api.memory,
    etcdCpu: after.etcd.cpu - before.etcd.cpu
  }
}
