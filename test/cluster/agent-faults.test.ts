import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endAgents, eventually, nodeOf, ownKubeconfig, startAgent } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { applyManifests } from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import { type Answers, refuse, text } from './fake-api.ts'
import { moodyProxy } from './moody-proxy.ts'

const recorded = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')
let cluster: ControlPlane

beforeAll(async () => {
  cluster = await startControlPlane()
  await applyManifests(cluster)
})
afterAll(async () => {
  await endAgents()
  await cluster?.close()
})

/** An agent as it is installed, with its own token and held by the admission policy, on a Node that it has labelled. */
async function labelled(name: string, server = cluster.url) {
  await createNode(cluster, realisticNode(name))
  const agent = await startAgent(name, await ownKubeconfig(cluster, name, server), ['--host-root', recorded])
  const own = nodeOf(cluster, name)
  await own.isLabelled()
  await eventually('it is ready', async () => (await agent.get('/readyz')).status === 200)
  return { agent, own }
}

/** Labels as somebody else leaves them, and right again. */
async function mends(own: ReturnType<typeof nodeOf>, right: Readonly<Record<string, string>>) {
  await own.label({ 'berth.dev/distro': 'falsified', 'berth.dev/cvm': null })
  await eventually('it is mended', async () => JSON.stringify(await own.ours()) === JSON.stringify(right))
}

describe('the control plane goes away', () => {
  test('frozen in the middle of a repair', { timeout: 120_000 }, async () => {
    const { agent, own } = await labelled('faults-half')
    const right = await own.ours()
    for (let round = 0; round < 3; round += 1) {
      await own.label({ 'berth.dev/distro': `falsified-${round}` })
      cluster.freeze()
      await sleep(2_000)
      cluster.thaw()
      await eventually('it is mended', async () => JSON.stringify(await own.ours()) === JSON.stringify(right))
    }
    expect(agent.alive()).toBe(true)
  })
})

describe('what is refused', () => {
  test('one label that an admission policy refuses does not cost the others', { timeout: 120_000 }, async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic'
    const name = 'no-distro'
    await cluster.api('POST', `${path}ies`, {
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['nodes'] }]
        },
        validations: [
          {
            expression:
              "!(object.metadata.name == 'faults-refused' && 'berth.dev/distro' in object.metadata.?labels.orValue({}))",
            message: 'no distro here'
          }
        ]
      }
    })
    await cluster.api('POST', `${path}ybindings`, { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } })
    await createNode(cluster, realisticNode('faults-refused'))
    const own = nodeOf(cluster, 'faults-refused')
    await eventually(
      'the policy is in force',
      async () => {
        const tried = await cluster.api('PATCH', '/api/v1/nodes/faults-refused?dryRun=All', {
          metadata: { labels: { 'berth.dev/distro': 'x' } }
        })
        return tried.status === 422
      },
      60_000
    )
    const agent = await startAgent('faults-refused', await ownKubeconfig(cluster, 'faults-refused'), ['--host-root', recorded])
    await own.isLabelled({ 'berth.dev/machine': 'virtual' })
    await eventually('the refusal is told', () => agent.said().includes('no distro here'))
    // The report is the last of them.
    await eventually('all others are written', async () =>
      Object.hasOwn((await own.read()).metadata.annotations ?? {}, 'berth.dev/report')
    )
    const labels = await own.ours()
    expect(labels).not.toHaveProperty(['berth.dev/distro'])
    expect(Object.keys(labels).length).toBeGreaterThanOrEqual(10)
    // The others are looked after as ever, and the refused one is not asked for again at once.
    const writes = (await own.audited('patch')).length
    await own.label({ 'berth.dev/machine': 'falsified' })
    await own.isLabelled({ 'berth.dev/machine': 'virtual' })
    await sleep(2_000)
    expect((await own.audited('patch')).length - writes).toBeLessThanOrEqual(4)
    expect(agent.alive()).toBe(true)
  })
})

/** More levels than a function that calls itself for each of them gets through. */
const NESTED = `${'['.repeat(20_000)}${']'.repeat(20_000)}`

describe('the watch answers strangely', () => {
  const line = (event: unknown) => text(200, 'application/json', `${JSON.stringify(event).replaceAll('"NESTED"', NESTED)}\n`)
  const strangeNode = (node: object) =>
    line({ type: 'MODIFIED', object: { kind: 'Node', metadata: { name: 'x', resourceVersion: '1' }, ...node } })
  const MOODS: Readonly<Record<string, Answers>> = {
    'an error of the server': refuse(500, 'InternalError'),
    'too many requests': refuse(429, 'TooManyRequests', { 'retry-after': '1' }),
    'a version that is gone': refuse(410, 'Expired'),
    'a version that is gone, in the stream': line({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } }),
    'a version from the future': refuse(504, 'Timeout: Too large resource version: 9, current: 1'),
    'a page of a proxy': text(200, 'text/html', '<html>\n<body>moment</body>\n</html>\n'),
    'nothing at all': text(200, 'application/json', ''),
    'JSON that is no event': line({ hello: 'there' }),
    'an event without a Node': line({ type: 'MODIFIED', object: {} }),
    'an event with a strange version': line({ type: 'MODIFIED', object: { metadata: { name: 'x', resourceVersion: 'abc' } } }),
    'a Pod': strangeNode({ kind: 'Pod' }),
    'a condition that is nothing': strangeNode({ status: { conditions: [null] } }),
    'taints that are nested lists': strangeNode({ spec: { taints: ['NESTED'] } }),
    'labels that are nothing': strangeNode({ metadata: { name: 'x', resourceVersion: '99999999', labels: null } }),
    'labels that are nested lists': strangeNode({ metadata: { name: 'x', resourceVersion: '1', labels: { a: 'NESTED' } } }),
    'an error of nested lists': line({ type: 'ERROR', object: { kind: 'Status', code: 500, message: 'NESTED' } }),
    'an error that comes byte by byte': (_, response) => {
      response.writeHead(503, { 'content-type': 'application/json' })
      const drips = setInterval(() => response.write(' '), 200)
      response.on('close', () => clearInterval(drips))
    },
    'an end in the middle of a line': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"type":"MODIFIED","obj')
      setTimeout(() => response.destroy(), 50)
    }
  }

  // Each waits for its place in the window twice, so all of them wait at one time.
  test('whatever it answers, the agent lives and catches up', { timeout: 400_000 }, async () => {
    await Promise.all(Object.entries(MOODS).map(([what, answer], index) => endured(`faults-moody-${index}`, what, answer)))
  })

  async function endured(name: string, what: string, answer: Answers): Promise<void> {
    const proxy = await moodyProxy(cluster)
    const { agent, own } = await labelled(name, proxy.url)
    const right = await own.ours()
    proxy.be(answer)
    await eventually(`the agent was answered ${what}`, () => proxy.seen() >= 2)
    expect(agent.alive(), what).toBe(true)
    await sleep(500)
    // It asks again from time to time, not as fast as it can.
    expect(proxy.seen(), what).toBeLessThan(20)
    await own.label({ 'berth.dev/stray': 'x' })
    proxy.be(undefined)
    await eventually(`it catches up after ${what}`, async () => JSON.stringify(await own.ours()) === JSON.stringify(right))
    expect(agent.alive(), what).toBe(true)
    expect(await agent.kill('SIGTERM')).toBe(0)
    await proxy.close()
  }
})

describe('much at once', () => {
  test('200 changes in a row', { timeout: 120_000 }, async () => {
    const { agent, own } = await labelled('faults-many')
    const right = await own.ours()
    for (let round = 0; round < 200; round += 1) {
      // Keys that differ, so that no single one is a tug-of-war.
      await own.label({ [`berth.dev/stray-${round}`]: 'x' })
    }
    await eventually('all is right', async () => JSON.stringify(await own.ours()) === JSON.stringify(right))
    expect(await agent.metric('berth_drift_repaired_total{kind="added"}')).toBe(200)
    expect(agent.alive()).toBe(true)
  })

  test('a Node of more than 1 MiB', { timeout: 120_000 }, async () => {
    const { agent, own } = await labelled('faults-big')
    const right = await own.ours()
    // Annotations may have 256 KiB in all; the images of the status carry the rest.
    const annotations = { 'example.com/big': 'x'.repeat(240 * 1024) }
    const images = Array.from({ length: 780 }, (_, index) => ({
      names: [`example.com/${index}/${'y'.repeat(1_000)}`],
      sizeBytes: 1
    }))
    await own.patch({ metadata: { annotations } })
    await succeeded('images', cluster.api('PATCH', '/api/v1/nodes/faults-big/status', { status: { images } }))
    expect(JSON.stringify(await own.read()).length).toBeGreaterThan(1024 * 1024)
    await mends(own, right)
    // The policy was asked about all of it, and let it pass.
    expect(await agent.metric('berth_admission_guard_enforced')).toBe(1)
    expect(agent.alive()).toBe(true)
  })
})
