import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONDITION_TYPE } from '../../src/node-sync/condition.ts'
import { endAgents, eventually, nodeOf, ownKubeconfig, startAgent } from '../support/cluster/agent-process.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { applyManifests } from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import { historyOf, KEEPS_HISTORY } from './agent-truth.ts'

const recorded = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')
let cluster: ControlPlane

beforeAll(async () => {
  cluster = await startControlPlane({ apiServerFlags: KEEPS_HISTORY })
  await applyManifests(cluster)
})
afterAll(async () => {
  await endAgents()
  await cluster?.close()
})

/** An agent as it is installed: default options, and the token of its own Node. */
async function agentOn(name: string) {
  const kubeconfig = await ownKubeconfig(cluster, name)
  return () => startAgent(name, kubeconfig, ['--host-root', recorded])
}

/** Nothing is left to write: the Node has its condition, and its version stands still. */
const settled = (name: string) =>
  eventually(`${name} is settled`, async () => {
    const own = nodeOf(cluster, name)
    const { resourceVersion } = (await own.read()).metadata
    await sleep(2_000)
    const node = await own.read()
    const conditions = node.status['conditions'] as readonly { readonly type: string }[]
    return conditions.some(({ type }) => type === CONDITION_TYPE) && node.metadata.resourceVersion === resourceVersion
  })

interface Request {
  readonly verb: string
  readonly requestURI: string
}

/** Every request of the agent of that Node so far, by the claim of its token. */
async function requestsOf(name: string): Promise<readonly Request[]> {
  const claim = `"authentication.kubernetes.io/node-name":["${name}"]`
  const log = await readFile(cluster.auditLog, 'utf8')
  return log
    .split('\n')
    .filter(line => line.includes(claim))
    .map(line => JSON.parse(line) as Request)
}

const isWrite = ({ verb, requestURI }: Request): boolean =>
  !['get', 'list', 'watch'].includes(verb) && !/dryRun|selfsubjectreviews/.test(requestURI)

const allTheSame = (versions: readonly object[]): boolean =>
  versions.length > 0 && versions.every(labels => JSON.stringify(labels) === JSON.stringify(versions[0]))

// Together, since these tests mostly wait.
describe.concurrent('an agent on a node where nothing happens', () => {
  test('writes in five minutes nothing but a heartbeat at most', { timeout: 500_000 }, async () => {
    const name = 'idle-quiet'
    await createNode(cluster, realisticNode(name))
    await (await agentOn(name))()
    await settled(name)
    const before = await requestsOf(name)
    expect(before.filter(isWrite).length, 'its own requests are found in the audit log').toBeGreaterThan(0)
    await sleep(300_000)
    const since = (await requestsOf(name)).slice(before.length)
    console.info(`idle for five minutes: ${since.length} requests, ${since.filter(isWrite).length} of them writes`)
    const paths = since.filter(isWrite).map(({ verb, requestURI }) => `${verb} ${requestURI.split('?')[0]}`)
    // Due every 270 to 330 s; that it comes at all is shown where it comes every 10 s.
    expect(paths.length).toBeLessThanOrEqual(1)
    expect(paths.filter(path => path !== `patch /api/v1/nodes/${name}/status`)).toEqual([])
    expect(await historyOf(cluster.etcd, name)).toSatisfy(allTheSame)
  })

  test('writes nothing when it is restarted, however it ended', { timeout: 200_000 }, async () => {
    const name = 'idle-restarted'
    await createNode(cluster, realisticNode(name))
    const start = await agentOn(name)
    let agent = await start()
    await settled(name)
    const writes = async () => (await requestsOf(name)).filter(isWrite)
    const before = await writes()
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
      await agent.kill(signal)
      agent = await start()
      await eventually('it is ready', async () => (await agent.get('/readyz')).status === 200)
      await sleep(2_000)
    }
    expect((await writes()).slice(before.length)).toEqual([])
    expect(await historyOf(cluster.etcd, name)).toSatisfy(allTheSame)
  })

  test('killed while it starts, leaves all labels or none', { timeout: 200_000 }, async () => {
    const start = async (name: string) => {
      await createNode(cluster, realisticNode(name))
      return (await agentOn(name))()
    }
    const whole = await start('killed-never')
    const began = performance.now()
    const labels = await nodeOf(cluster, 'killed-never').isLabelled()
    const usual = performance.now() - began
    await whole.kill('SIGTERM')

    const left: boolean[] = []
    let delay = usual
    for (let round = 0; round < 20; round += 1) {
      const name = `killed-${round}`
      const agent = await start(name)
      await sleep(delay * (0.9 + Math.random() * 0.2))
      expect(await agent.kill('SIGKILL')).toBe('SIGKILL')
      const versions = await historyOf(cluster.etcd, name)
      for (const carried of versions) expect(carried, `killed after about ${delay} ms`).toEqual(labels)
      left.push(versions.length > 0)
      // Closer and closer to the moment in which the labels are written, and around it.
      delay *= versions.length > 0 ? 0.85 : 1.1
    }
    // Otherwise the moments were badly chosen, and nothing is shown.
    expect(left).toContain(true)
    expect(left).toContain(false)

    const bare = `killed-${left.indexOf(false)}`
    const again = await agentOn(bare).then(startAgain => startAgain())
    await settled(bare)
    expect(await nodeOf(cluster, bare).ours()).toEqual(labels)
    await again.kill('SIGTERM')
  })
})
