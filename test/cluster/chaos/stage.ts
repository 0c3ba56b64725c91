import { join } from 'node:path'
import {
  type AgentProcess,
  eventually,
  type HostRoot,
  nodeOf,
  ownKubeconfig,
  startAgent
} from '../../support/cluster/agent-process.ts'
import { type ControlPlane, startControlPlane } from '../../support/cluster/control-plane.ts'
import { applyManifests } from '../../support/cluster/manifests.ts'
import { createNode, type NodeObject, realisticNode } from '../../support/cluster/nodes.ts'
import { type AgentInside, agentInside } from '../agent-inside.ts'
import { recordedRoot } from '../agent-roots.ts'
import type { Labels } from '../agent-truth.ts'
import { type MoodyProxy, moodyProxy } from '../moody-proxy.ts'
import { type SlowProxy, slowProxy } from '../slow-proxy.ts'
import type { Chance } from './chance.ts'

const recorded = join(import.meta.dirname, '../../nodes/gke-ubuntu-22.04.yaml')

/** A Node with an agent of its own. */
export interface Home {
  readonly name: string
  readonly before: NodeObject
  readonly root: HostRoot
  /** What our labels must be in the end. */
  right: Labels
}

/** An agent in a process of its own, which may be started anew. */
export interface Hosted extends Home {
  agent: AgentProcess
  readonly start: () => Promise<AgentProcess>
}

export interface Stage {
  readonly cluster: ControlPlane
  /** Passes on bytes: HTTP/2 goes through it. */
  readonly slow: SlowProxy
  /** Passes on requests (HTTP/1.1), or answers them itself. */
  readonly moody: MoodyProxy
  /** Two that are never started anew, one behind each proxy: their memory is watched. */
  readonly lasting: readonly Hosted[]
  /** Behind both proxies, and started anew again and again. */
  readonly restarted: Hosted
  /** Within this process, since its clock is ours. */
  readonly inside: Home & { readonly run: AgentInside }
  /** A Node without an agent. */
  readonly bystander: NodeObject
  readonly close: () => Promise<void>
}

/** A real etcd and kube-apiserver with the manifests, proxies before them, and agents whose labels stand. */
export async function setStage(chance: Chance): Promise<Stage> {
  const cluster = await startControlPlane()
  const ending: (() => Promise<unknown> | unknown)[] = [() => cluster.close()]
  const close = async () => {
    for (const end of ending.splice(0).reverse()) await end()
  }
  try {
    await applyManifests(cluster)
    const moody = await moodyProxy(cluster)
    const [slow, both] = [await slowProxy(cluster.url), await slowProxy(moody.url)]
    ending.push(moody.close, slow.close, both.close)
    const host = async (name: string, server: string): Promise<Hosted> => {
      const home = await homeOf(cluster, name)
      const kubeconfig = await ownKubeconfig(cluster, name, server)
      const start = () => startAgent(name, kubeconfig, ['--host-root', home.root.path, '--interval', '2s'])
      const hosted: Hosted = { ...home, agent: await start(), start }
      ending.push(home.root.remove, () => hosted.agent.kill('SIGKILL'))
      hosted.right = await nodeOf(cluster, name).isLabelled()
      return hosted
    }
    const lasting = [await host('chaos-bytes', slow.url), await host('chaos-requests', moody.url)]
    const restarted = await host('chaos-restarted', both.url)
    const home = await homeOf(cluster, 'chaos-clock')
    const run = agentInside(home.name, await ownKubeconfig(cluster, home.name, moody.url), home.root.path, chance.next)
    ending.push(home.root.remove, () => run.end())
    const inside = { ...home, run, right: await nodeOf(cluster, home.name).isLabelled() }
    for (const { agent } of [...lasting, restarted]) {
      await eventually('it is ready', async () => (await agent.get('/readyz')).status === 200)
    }
    const bystander = await createNode(cluster, realisticNode('chaos-bystander'))
    return { cluster, slow, moody, lasting, restarted, inside, bystander, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** With a taint of somebody else. */
async function homeOf(cluster: ControlPlane, name: string): Promise<Home> {
  const spec = { taints: [{ key: 'example.com/keep', effect: 'PreferNoSchedule' as const }] }
  return { name, before: await createNode(cluster, realisticNode(name, { spec })), root: recordedRoot(recorded), right: {} }
}
