import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig } from '../../src/cli/config.ts'
import { runOnce } from '../../src/commands/run.ts'
import { endAgents, eventually, nodeOf, ownKubeconfig, startAgent } from '../support/cluster/agent-process.ts'
import { apiOf, succeeded } from '../support/cluster/api.ts'
import { type ControlPlaneClient, startControlPlane } from '../support/cluster/control-plane.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { AGENT, applyManifests } from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
/** Bare metal with an A100 and its driver; the Nodes of these tests offer no nvidia.com/gpu. */
const machine = ['--host-root', join(import.meta.dirname, '../nodes/dell-a100-no-plugin.yaml')] as const
const often = [...machine, '--interval', '1s'] as const
const SLICES = '/apis/resource.k8s.io/v1/resourceslices'
const ROLES = '/apis/rbac.authorization.k8s.io/v1'

beforeAll(() => applyManifests(shared))
afterAll(endAgents)

interface Offer {
  readonly driver?: string
  readonly devices?: number
  readonly nodeName?: string
}

/** As the kubelet plugin of that driver publishes it. */
const publish = (node: string, { driver = 'gpu.nvidia.com', devices = 2, nodeName = node }: Offer = {}) =>
  succeeded(
    `publish a slice of ${node}`,
    shared.api('POST', SLICES, {
      ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceSlice', metadata: { name: `slice-of-${node}` } },
      spec: {
        ...{ driver, nodeName, pool: { name: node, generation: 1, resourceSliceCount: 1 } },
        devices: Array.from({ length: devices }, (_, index) => ({
          name: `gpu-${index}`,
          attributes: { type: { string: 'gpu' }, productName: { string: 'NVIDIA A100-SXM4-80GB' } }
        }))
      }
    })
  )

const withdraw = (node: string) => succeeded('withdraw', shared.api('DELETE', `${SLICES}/slice-of-${node}`))

const reported = async (name: string) => {
  const { annotations } = (await nodeOf(shared, name).read()).metadata
  return JSON.parse(annotations?.['berth.dev/report'] ?? '{}').verdicts
}

async function agentOn(name: string, more: readonly string[] = machine, client: ControlPlaneClient = shared) {
  await createNode(client, realisticNode(name))
  const agent = await startAgent(name, await ownKubeconfig(client, name), more)
  return { agent, own: nodeOf(client, name) }
}

const times = (text: string, code: string): number => text.split(`"event":"${code}"`).length - 1

describe.concurrent('a GPU that the Node does not offer', () => {
  test('is offered by DRA where the driver publishes it for this Node, and the request is counted', async () => {
    await publish('dra-offered')
    const { agent, own } = await agentOn('dra-offered')
    await own.isLabelled({ 'berth.dev/gpu': 'true', 'berth.dev/gpu-cvm': 'true' })
    expect((await reported('dra-offered')).gpu).toMatchObject({
      because: expect.stringContaining("NVIDIA's DRA driver offers 2 devices"),
      cautions: ['offered by DRA: pods need a ResourceClaim or the extended resource of a DeviceClass']
    })
    const count = 'berth_api_requests_total{verb="list",resource="resourceslices",code="200"}'
    expect(await eventually('it is counted', async () => (await agent.metric(count)) ?? false)).toBe(1)
    expect(JSON.parse((await agent.get('/status.json')).text)).toMatchObject({
      facts: { 'resource-slices': { value: { asked: true, devices: 2, tainted: 0 } } }
    })
  })

  test.each([
    ['dra-nothing', undefined],
    ['dra-empty', { devices: 0 }],
    ['dra-other-driver', { driver: 'compute-domain.nvidia.com' }],
    ['dra-other-node', { nodeName: 'dra-elsewhere' }]
  ] as const)('is not offered where the slices say nothing of it: %s', async (name, offer) => {
    if (offer !== undefined) await publish(name, offer)
    const { own } = await agentOn(name)
    await own.isLabelled({ 'berth.dev/gpu': 'false' })
    expect((await reported(name)).gpu.because).toContain("NVIDIA's DRA driver offers no device")
  })

  test('is offered as soon as a look finds the slices, and no longer once they are gone', async () => {
    const { own } = await agentOn('dra-later', often)
    await own.isLabelled({ 'berth.dev/gpu': 'false' })
    await publish('dra-later')
    await own.isLabelled({ 'berth.dev/gpu': 'true' })
    await withdraw('dra-later')
    await own.isLabelled({ 'berth.dev/gpu': 'false' })
  })

  test('is offered by the device plugin without a question to the API', async () => {
    const resources = { cpu: '4', memory: '16069060Ki', pods: '58', 'nvidia.com/gpu': '1' }
    await createNode(shared, realisticNode('dra-plugin', { status: { capacity: resources, allocatable: resources } }))
    const agent = await startAgent('dra-plugin', await ownKubeconfig(shared, 'dra-plugin'), often)
    await nodeOf(shared, 'dra-plugin').isLabelled({ 'berth.dev/gpu': 'true' })
    await sleep(3_000)
    expect((await agent.get('/metrics')).text).not.toContain('resource="resourceslices"')
  })

  test('is found by run --once too', async () => {
    await publish('dra-once')
    await createNode(shared, realisticNode('dra-once'))
    const args = ['run', '--once', '--kubeconfig', shared.kubeconfig, '--node-name', 'dra-once', ...machine]
    const world = { sleep: async () => undefined, random: () => 0, connection: {} }
    const clock = { elapsed: () => performance.now(), now: () => new Date() }
    expect(await runOnce(parseConfig(args, {}, {}), { print: () => undefined, clock }, world)).toBe(0)
    expect(await nodeOf(shared, 'dra-once').ours()).toMatchObject({ 'berth.dev/gpu': 'true' })
  })

  test('is unknown without the right to list slices, with the way out, once in the log; with the right it is known', async () => {
    const name = 'dra-forbidden'
    const account = { namespace: 'dra-forbidden', serviceAccount: 'agent' }
    const allow = async (role: string, rules: readonly object[]) => {
      const subjects = [{ kind: 'ServiceAccount', namespace: account.namespace, name: account.serviceAccount }]
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role }
      const metadata = { name: role }
      await succeeded('role', shared.api('POST', `${ROLES}/clusterroles`, { metadata, rules }))
      await succeeded('binding', shared.api('POST', `${ROLES}/clusterrolebindings`, { metadata, roleRef, subjects }))
    }
    await allow('dra-old-role', [
      { apiGroups: [''], resources: ['nodes', 'nodes/status'], verbs: ['get', 'watch', 'patch'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] }
    ])
    await createNode(shared, realisticNode(name))
    const token = await shared.tokenFor({ ...account, nodeName: name })
    const cluster = { server: shared.url, 'certificate-authority': shared.caFile }
    const agent = await startAgent(name, await writeKubeconfig(shared.directory, { cluster, user: { token } }), often)
    const own = nodeOf(shared, name)
    await own.isLabelled({ 'berth.dev/gpu': 'unknown' })
    expect((await reported(name)).gpu.because).toContain('grant "list" on resourceslices')
    const looks = () => times(agent.said(), 'node-looked-at')
    await eventually('it looked four times', () => looks() >= 4)
    expect(times(agent.said(), 'fact-lost')).toBe(1)
    await allow('dra-new-role', [{ apiGroups: ['resource.k8s.io'], resources: ['resourceslices'], verbs: ['list'] }])
    await own.isLabelled({ 'berth.dev/gpu': 'false' })
    await eventually('it says so', () => times(agent.said(), 'fact-found') === 1)
  })
})

test('an API without resource.k8s.io/v1 has no slices', async () => {
  const old = await startControlPlane({ release: 'oldest' })
  try {
    expect((await old.api('GET', SLICES)).status).toBe(404)
    await applyManifests(old)
    const { agent, own } = await agentOn('dra-old', machine, old)
    await own.isLabelled({ 'berth.dev/gpu': 'false' })
    await agent.kill('SIGTERM')
  } finally {
    await old.close()
  }
})

test('the role lists slices, and neither reads one nor writes one', async () => {
  const agent = apiOf(shared, { token: await shared.tokenFor(AGENT) })
  expect(await agent('GET', SLICES)).toMatchObject({ status: 200 })
  const slice = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceSlice', metadata: { name: 'forged' } }
  for (const [method, path, body] of [
    ['GET', `${SLICES}/slice-of-dra-offered`],
    ['GET', `${SLICES}?watch=true&timeoutSeconds=1`],
    ['POST', SLICES, slice],
    ['DELETE', `${SLICES}/slice-of-dra-offered`]
  ] as const) {
    expect(await agent(method, path, body), `${method} ${path}`).toMatchObject({ status: 403 })
  }
})
