import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONDITION_TYPE } from '../../src/node-sync/condition.ts'
import {
  BOOT,
  bootId,
  endAgents,
  eventually,
  hostRoot,
  nodeOf,
  OS_RELEASE,
  oursOf,
  ownKubeconfig,
  RELEASE,
  startAgent
} from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { applyManifests } from '../support/cluster/manifests.ts'
import { createNode, type NodeObject, realisticNode } from '../support/cluster/nodes.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const recorded = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')
const startup = { key: 'startup-taint.cluster-autoscaler.kubernetes.io/berth', effect: 'NoSchedule' } as const
const foreign = { key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' } as const
const root = hostRoot()
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-agent-'))
  await applyManifests(shared)
})
afterAll(async () => {
  await endAgents()
  await rm(directory, { recursive: true })
  root.remove()
})

/** A Node of that name, and an agent on it, with its own token and held by the admission policy, that has labelled it. */
async function labelled(name: string, more: readonly string[] = [], node: NodeObject = realisticNode(name)) {
  await createNode(shared, node)
  const agent = await startAgent(name, await ownKubeconfig(shared, name), [
    ...(more.includes('--host-root') ? [] : ['--host-root', recorded]),
    ...more
  ])
  const own = nodeOf(shared, name)
  await own.isLabelled()
  await settled(name)
  return { agent, own }
}

/** Nothing but the heartbeat is left to write. */
const settled = (name: string) =>
  eventually(`${name} is settled`, async () => {
    const own = nodeOf(shared, name)
    const before = (await own.read()).metadata.resourceVersion
    await sleep(700)
    return (
      (await own.conditions()).some(({ type }) => type === CONDITION_TYPE) &&
      (await own.read()).metadata.resourceVersion === before
    )
  })

interface Event {
  readonly reason: string
  readonly message: string
}

const eventsOf = async (name: string) => {
  const path = `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=${name}`
  const { items } = await succeeded('list events', shared.api<{ readonly items: readonly Event[] }>('GET', path))
  return items
}

describe.concurrent('the daemon', () => {
  test('labels, reads back, takes away its startup taint and no other, and adds its condition to the others', async () => {
    const { conditions, taints } = { conditions: realisticNode('agent-first').status['conditions'], taints: [foreign, startup] }
    const { agent, own } = await labelled('agent-first', [], realisticNode('agent-first', { spec: { taints } }))
    await eventually('the startup taint is gone', async () => (await own.read()).spec.taints?.length === 1)
    const node = await own.read()
    expect(node.spec.taints).toEqual([foreign])
    expect(oursOf(node)).toMatchObject({ 'berth.dev/distro': 'ubuntu-22.04', 'berth.dev/gpu-hardware': 'none' })
    expect(node.metadata.annotations).toHaveProperty(['berth.dev/report'])
    const found = await own.conditions()
    expect(found.filter(({ type }) => type !== CONDITION_TYPE)).toEqual(conditions)
    expect(found.filter(({ type }) => type === CONDITION_TYPE)).toHaveLength(1)
    expect(await agent.get('/readyz')).toMatchObject({ status: 200 })
    // Once with all facts, and not twice: the first look waited for the Node.
    const changes = (await eventsOf('agent-first')).filter(({ reason }) => reason === 'WorkspaceCapabilityChanged')
    expect(changes).toHaveLength(1)
  })

  test('repairs drift of every kind, and leaves alone what is not below its prefix', async () => {
    const { agent, own } = await labelled('agent-drift')
    const before = await own.ours()
    const theirs = { 'example.com/x': 'theirs', 'berth.dev.example.com/x': 'theirs' }
    await own.label({
      ...{ 'berth.dev/distro': null, 'berth.dev/machine': 'wrong', 'berth.dev/unknown-key': 'x' },
      ...theirs
    })
    await eventually('the labels are right again', async () => JSON.stringify(await own.ours()) === JSON.stringify(before))
    expect((await own.read()).metadata.labels).toMatchObject(theirs)
    await eventually('the event is there', async () =>
      (await eventsOf('agent-drift')).some(({ reason }) => reason === 'LabelDriftRepaired')
    )
    for (const kind of ['removed', 'changed', 'added'])
      expect(await agent.metric(`berth_drift_repaired_total{kind="${kind}"}`)).toBe(1)
  })

  test('mends its own condition and report, and leaves a foreign annotation', async () => {
    const { own } = await labelled('agent-report')
    const before = (await own.read()).metadata.annotations?.['berth.dev/report']
    await own.patch({ metadata: { annotations: { 'berth.dev/report': 'forged', 'example.com/x': 'theirs' } } })
    await eventually('the report is right', async () => {
      const { annotations } = (await own.read()).metadata
      return annotations?.['berth.dev/report'] === before && annotations?.['example.com/x'] === 'theirs'
    })
  })

  test('writes nothing while nothing changes', { timeout: 90_000 }, async () => {
    const { own } = await labelled('agent-idle', ['--interval', '2s'])
    const before = (await own.audited('patch')).length
    const { resourceVersion } = (await own.read()).metadata
    // Ten looks; the heartbeat is five minutes away.
    await sleep(20_000)
    expect((await own.audited('patch')).slice(before)).toEqual([])
    expect((await own.read()).metadata.resourceVersion).toBe(resourceVersion)
  })

  test('beats, and changes neither labels nor the time of transition', { timeout: 90_000 }, async () => {
    const { own } = await labelled('agent-beat', ['--heartbeat', '10s'])
    const mine = async () => (await own.conditions()).find(({ type }) => type === CONDITION_TYPE)
    const [first, labelWrites] = [await mine(), await plainPatches(own)]
    await eventually('it beats', async () => (await mine())?.['lastHeartbeatTime'] !== first?.['lastHeartbeatTime'], 30_000)
    expect(await mine()).toMatchObject({ lastTransitionTime: first?.['lastTransitionTime'], status: first?.['status'] })
    expect(await plainPatches(own)).toEqual(labelWrites)
  })

  test('a restart changes no label, neither in good order nor by kill -9', { timeout: 90_000 }, async () => {
    const { agent, own } = await labelled('agent-restart')
    const [labels, writes] = [await own.ours(), await plainPatches(own)]
    expect(await agent.kill('SIGTERM')).toBe(0)
    expect(agent.said()).toContain('agent-stopped')
    expect(await own.ours()).toEqual(labels)
    const kubeconfig = await ownKubeconfig(shared, 'agent-restart')
    const second = await startAgent('agent-restart', kubeconfig, ['--host-root', recorded])
    await eventually('it is ready', async () => (await second.get('/readyz')).status === 200)
    expect(await second.kill('SIGKILL')).toBe('SIGKILL')
    const third = await startAgent('agent-restart', kubeconfig, ['--host-root', recorded])
    await eventually('it is ready', async () => (await third.get('/readyz')).status === 200)
    await settled('agent-restart')
    expect(await own.ours()).toEqual(labels)
    expect(await plainPatches(own)).toEqual(writes)
  })

  test('a tug-of-war ends in a rest, and is told', { timeout: 90_000 }, async () => {
    const { agent, own } = await labelled('agent-tug')
    const right = (await own.ours())['berth.dev/distro'] as string
    let rested = false
    for (let round = 0; round < 10 && !rested; round += 1) {
      await own.label({ 'berth.dev/distro': `wrong-${round}` })
      rested = await eventually(`round ${round}`, async () => {
        if ((await own.ours())['berth.dev/distro'] === right) return { rests: false }
        return (await agent.metric('berth_drift_contested_labels')) === 1 && { rests: true }
      }).then(({ rests }) => rests)
    }
    expect(await agent.metric('berth_drift_contested_labels')).toBe(1)
    expect(agent.said().split('"drift-contested"')).toHaveLength(2)
    // The other labels are looked after as ever.
    await own.label({ 'berth.dev/machine': 'wrong' })
    await own.isLabelled({ 'berth.dev/machine': 'virtual' })
  })

  test('SIGTERM ends it, also while the API is not to be reached', async () => {
    const nowhere = await writeKubeconfig(directory, { cluster: { server: 'https://127.0.0.1:1' } })
    const agent = await startAgent('agent-nowhere', nowhere)
    await eventually('it tries', () => agent.said().includes('api-lost'))
    expect(agent.alive()).toBe(true)
    expect(await agent.kill('SIGTERM')).toBe(0)
  })

  test('a port that is taken is a clear error', async () => {
    const server = createServer()
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as { port: number }
    const agent = await startAgent('agent-port', shared.kubeconfig, ['--listen', `127.0.0.1:${port}`])
    expect(await agent.ended).toBe(1)
    expect(agent.said()).toMatch(new RegExp(`--listen is "127.0.0.1:${port}": .*another program uses that port`))
    server.close()
  })

  test('a Node that does not exist yet is waited for, and one that was made anew is labelled anew', async () => {
    const agent = await startAgent('agent-late', await ownKubeconfig(shared, 'agent-late'), ['--host-root', recorded])
    await eventually('it tries', () => agent.said().includes('node-missing'))
    await createNode(shared, realisticNode('agent-late'))
    const own = nodeOf(shared, 'agent-late')
    await own.isLabelled()
    // The first labels may be of a Node whose status was not written yet.
    await settled('agent-late')
    const labels = await own.ours()
    await shared.api('DELETE', '/api/v1/nodes/agent-late')
    await createNode(shared, realisticNode('agent-late'))
    expect(await own.isLabelled(labels)).toEqual(labels)
    expect(await agent.metric('berth_drift_repaired_total{kind="removed"}')).toBe(0)
  })
})

/** Patches of the Node itself, which are those of labels, report and taint; the condition goes through its status. */
const plainPatches = async (own: ReturnType<typeof nodeOf>) =>
  (await own.audited('patch')).filter(uri => !uri.includes('/status'))

describe('what cannot be read', () => {
  test('keeps its label, and a new boot proves everything anew', { timeout: 90_000 }, async () => {
    const known = { 'berth.dev/distro': 'ubuntu-22.04', 'berth.dev/kernel': '5.15' }
    const { agent, own } = await labelled('agent-sticky', ['--host-root', root.path, '--interval', '1s'])
    expect(await own.isLabelled(known)).toMatchObject(known)
    root.spoil(OS_RELEASE)
    await eventually(
      'it was noticed',
      async () => (await agent.get('/status.json')).text.includes('EISDIR') || agentRecalls(agent)
    )
    await sleep(2_500)
    expect(await own.ours()).toMatchObject(known)

    // The labels outlive a restart of the agent under the same boot, although it never read the file.
    expect(await agent.kill('SIGTERM')).toBe(0)
    const more = ['--host-root', root.path, '--interval', '1s']
    const second = await startAgent('agent-sticky', await ownKubeconfig(shared, 'agent-sticky'), more)
    await eventually('it is ready', async () => (await second.get('/readyz')).status === 200)
    await sleep(1_500)
    expect(await own.ours()).toMatchObject(known)
    // And its page says so, as that is what the Node should carry.
    expect(JSON.parse((await second.get('/status.json')).text)).toMatchObject({ labels: known })
    expect((await second.get('/')).text).toContain('ubuntu-22.04')

    root.write(BOOT, bootId('2'))
    root.write(RELEASE, '6.8.0-40-generic\n')
    await own.isLabelled({ 'berth.dev/kernel': '6.8' })
    await eventually('the distro is told no more', async () => !('berth.dev/distro' in (await own.ours())))
    root.write(OS_RELEASE, 'ID=debian\nVERSION_ID="12"\n')
    await own.isLabelled({ 'berth.dev/distro': 'debian-12' })
    expect(second.alive()).toBe(true)
  })

  test('turns unknown after --unknown-after', { timeout: 60_000 }, async () => {
    const more = ['--host-root', root.path, '--interval', '1s', '--unknown-after', '1s']
    const { own } = await labelled('agent-unknown', more)
    const file = 'sys/bus/pci/devices/0000:00:1e.0/class'
    root.write('sys/bus/pci/devices/0000:00:1e.0/vendor', '0x10de\n')
    root.write(file, '0x030200\n')
    await own.isLabelled({ 'berth.dev/gpu-hardware': 'nvidia' })
    root.spoil(file)
    // Never absent in between: absence says that no agent was here.
    const seen = new Set<string | undefined>()
    await eventually('it is unknown', async () => {
      const value = (await own.ours())['berth.dev/gpu-hardware']
      seen.add(value)
      return value === 'unknown'
    })
    expect([...seen].filter(value => value !== 'nvidia' && value !== 'unknown')).toEqual([])
  })

  test('is not proved by a label that somebody set while no agent ran', { timeout: 60_000 }, async () => {
    const more = ['--host-root', root.path, '--interval', '1s']
    const file = 'sys/bus/pci/devices/0000:00:1e.0/class'
    root.write('sys/bus/pci/devices/0000:00:1e.0/vendor', '0x10de\n')
    root.write(file, '0x030200\n')
    root.spoil(file)
    const KEY = 'berth.dev/gpu-hardware'
    const { agent, own } = await labelled('agent-by-hand', more)
    await own.isLabelled({ [KEY]: 'unknown' })
    expect(await agent.kill('SIGTERM')).toBe(0)
    await own.label({ [KEY]: 'nvidia', 'berth.dev/gpu': 'true' })
    const second = await startAgent('agent-by-hand', await ownKubeconfig(shared, 'agent-by-hand'), more)
    await eventually('it is ready', async () => (await second.get('/readyz')).status === 200)
    expect(await own.ours()).toMatchObject({ [KEY]: 'unknown', 'berth.dev/gpu': expect.not.stringContaining('true') })
  })
})

const agentRecalls = (agent: { readonly said: () => string }) => agent.said().includes('"recalled":["distro"')

describe('with the token of its own', () => {
  test('labels, condition, taint and events work, and the guard is proved', { timeout: 90_000 }, async () => {
    const name = 'agent-own'
    await createNode(shared, realisticNode(name, { spec: { taints: [foreign, startup] } }))
    const agent = await startAgent(name, await ownKubeconfig(shared, name), ['--host-root', recorded])
    const own = nodeOf(shared, name)
    const labels = await own.isLabelled()
    await settled(name)
    expect((await own.read()).spec.taints).toEqual([foreign])
    expect(await agent.metric('berth_admission_guard_enforced')).toBe(1)
    expect(agent.said()).toContain('guard-proved')
    for (const series of [
      'berth_api_requests_total{verb="watch",resource="nodes",code="200"}',
      'berth_api_requests_total{verb="patch",resource="nodes/status",code="200"}',
      'berth_api_requests_total{verb="create",resource="selfsubjectreviews",code="201"}',
      'berth_publish_total{target="report",result="written"}'
    ]) {
      expect(await agent.metric(series), series).toBeGreaterThanOrEqual(1)
    }
    expect((await eventsOf(name)).map(({ reason }) => reason)).toContain('WorkspaceCapabilityChanged')
    await own.label({ 'berth.dev/machine': 'wrong', 'berth.dev/cvm': null })
    await eventually('it is repaired', async () => JSON.stringify(await own.ours()) === JSON.stringify(labels))
    expect(agent.said()).not.toMatch(/write-(refused|failed)/)
    expect(agent.said()).not.toContain('eyJ')
  })

  test('is refused for another Node, and says why', async () => {
    await createNode(shared, realisticNode('agent-other'))
    const agent = await startAgent('agent-other', await ownKubeconfig(shared, 'agent-own'), ['--host-root', recorded])
    expect(await agent.ended).toBe(1)
    expect(agent.said()).toContain('this token belongs to a pod on the Node \\"agent-own\\"')
    expect(await nodeOf(shared, 'agent-other').ours()).toEqual({})
  })
})
