import { join } from 'node:path'
import process from 'node:process'
import { expect, inject, test } from 'vitest'
import { ROOT } from '../../packaging/root.ts'
import { historyOf, storyOf } from '../cluster/agent-truth.ts'
import { render } from '../cluster/kustomize.ts'
import { eventually, nodeOf } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import type { ControlPlane } from '../support/cluster/control-plane.ts'
import { applyAll, type Manifest } from '../support/cluster/manifests.ts'
import { isOfTheRuntime, reachOf } from './agent-reach.ts'
import { NODE_NAME, startNode } from './node.ts'
import { offerFuse, PODS, type Pod, phaseOf, podOf, STARTUP, workspace } from './pods.ts'

const BOOT = '/proc/sys/kernel/random/boot_id'
const bootId = (digit: string) => `${digit.repeat(8)}-1111-4111-8111-111111111111\n`

interface DaemonSet extends Manifest {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly object[]; readonly volumes: readonly object[] } }
  }
}

/**
 * The base, whose agent sees the boot id that this node plays: every pod has a /proc of its own, with the machine's. What is mounted of
 * the node's /proc below /host counts before it.
 */
async function manifests(): Promise<readonly Manifest[]> {
  return (await render()).map(object => {
    if (object.kind !== 'DaemonSet') return object
    const { spec } = object as DaemonSet
    const pod = spec.template.spec
    const [agent] = pod.containers as readonly [{ readonly volumeMounts: readonly object[] }]
    const boot = { name: 'played-boot', mountPath: `/host${BOOT}`, readOnly: true }
    const containers = [{ ...agent, volumeMounts: [...agent.volumeMounts, boot] }]
    const volumes = [...pod.volumes, { name: boot.name, hostPath: { path: BOOT, type: 'File' } }]
    return { ...object, spec: { ...spec, template: { ...spec.template, spec: { ...pod, containers, volumes } } } }
  })
}

const DAEMON_SET = '/apis/apps/v1/namespaces/berth/daemonsets/berth'

/** The agent's pod that runs and is ready, if there is just one. */
async function agentPod({ api }: ControlPlane): Promise<Pod> {
  const { items } = await succeeded('pods', api<{ items: readonly Pod[] }>('GET', '/api/v1/namespaces/berth/pods'))
  const [pod, ...others] = items
  if (pod === undefined || others.length > 0) throw new Error(`${items.length} pods`)
  if (!pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) throw new Error('not ready')
  return pod
}

interface Told {
  readonly facts: Readonly<Record<string, { readonly known: boolean; readonly value?: unknown; readonly why?: string }>>
}

/** The same program as root, on the node itself. */
const REPORT = [process.execPath, join(ROOT, 'dist/berth.mjs'), 'report', '--format', 'json'] as const
/** Of the cluster, of the helper, or a measure that moves. */
const OTHERWISE = ['node', 'pod-security', 'resource-slices', 'proofs', 'inventory', 'storage', 'sysbox-storage', 'var-lib']
/** Only root reads the list of AppArmor profiles. */
const HIDDEN = ['apparmor']

/** But for what docs/security.md says that it cannot read: no fact is unknown, and none says something else. */
function knowsAllThatRootKnows(agent: Told, root: Told): void {
  const names = Object.keys(root.facts).filter(name => root.facts[name]?.known && ![...OTHERWISE, ...HIDDEN].includes(name))
  expect(names.length).toBeGreaterThan(25)
  const facts = ({ facts }: Told) => Object.fromEntries(names.map(name => [name, facts[name]?.value ?? facts[name]?.why]))
  expect(facts(agent)).toEqual(facts(root))
  for (const name of ['storage', 'var-lib']) expect(agent.facts[name]?.known, agent.facts[name]?.why).toBe(true)
}

test('the DaemonSet labels its Node with its own token, and no update and no reboot costs a label or a workspace; it reaches nothing else of the node', async () => {
  const cover = { [BOOT]: bootId('1') }
  await using node = await startNode({ images: inject('images'), taints: [STARTUP], cover })
  const { plane, run, play } = node
  const own = nodeOf(plane, NODE_NAME)
  await offerFuse(plane)
  await succeeded('workspace', plane.api('POST', PODS, workspace('routed', { 'berth.dev/podman': 'true' })))
  await applyAll(plane, await manifests())
  const labels = await own.isLabelled({ 'berth.dev/podman': 'true' })
  await eventually('the startup taint is gone', async () => (await own.read()).spec['taints'] === undefined)
  await eventually('the workspace runs', async () => (await phaseOf(plane, 'routed')) === 'Running')
  const before = await eventually('the agent is ready', () => agentPod(plane))

  // From the node, since its pods have addresses only there.
  const page = (path: string) =>
    run([process.execPath, '-e', `fetch('http://${before.status.podIP}:9642${path}').then(r => r.text()).then(console.log)`])
  await eventually('the policy holds the token', async () => /^berth_admission_guard_enforced 1$/m.test(await page('/metrics')))
  const log = await run(['sh', '-c', 'cat /var/log/pods/berth_berth-*/agent/*.log'])
  expect(log).toContain(`system:serviceaccount:berth:berth-agent on the Node ${NODE_NAME}`)
  // The agent, and its reader.
  const users = await run([
    'sh',
    '-c',
    'for pid in /proc/[0-9]*; do grep -qs [b]erth.mjs $pid/cmdline && stat -c %u $pid; done; true'
  ])
  expect(users.split('\n')).toEqual(['65532', '65532'])

  knowsAllThatRootKnows(JSON.parse(await page('/status.json')) as Told, JSON.parse(await run(REPORT)) as Told)

  const { writable, sockets, commands, writableMounts, shm, ...reach } = await reachOf(node)
  expect(reach).toMatchObject({
    uid: 65_532,
    mounts: expect.arrayContaining(['/host/etc', '/host/usr', '/host/sys', '/host/dev'])
  })
  expect({ writable, sockets, shm }).toEqual({ writable: [], sockets: [], shm: 'EROFS' })
  expect(writableMounts.filter(point => !isOfTheRuntime(point))).toEqual([])
  expect(commands.filter(command => !command.startsWith('/usr/local/bin/node '))).toEqual([])
  expect(commands.length).toBeGreaterThan(1)

  const annotations = { 'berth.dev/rollout': '2' }
  await succeeded('update', plane.api('PATCH', DAEMON_SET, { spec: { template: { metadata: { annotations } } } }))
  const after = await eventually('another agent is ready', async () => {
    const pod = await agentPod(plane)
    return pod.metadata.uid !== before.metadata.uid && pod
  })

  // A reboot: another boot id, and everything begins anew.
  await play(BOOT, bootId('2'))
  await succeeded('end', plane.api('DELETE', `/api/v1/namespaces/berth/pods/${after.metadata.name}?gracePeriodSeconds=0`))
  await eventually('a third agent is ready', async () => (await agentPod(plane)).metadata.uid !== after.metadata.uid)
  await eventually('the report is about this boot', async () => JSON.stringify(await own.read()).includes(bootId('2').trim()))
  expect(await own.isLabelled({ 'berth.dev/podman': 'true' })).toEqual(labels)

  const story = storyOf(await historyOf(plane.etcd, NODE_NAME), () => false)
  console.log(`berth.dev/podman was one after the other: ${story['berth.dev/podman']?.join(', ')}`)
  // A boot that nobody has looked at yet is unknown; nothing else was ever said.
  const others = Object.entries(story).filter(([key, values]) =>
    values.some(value => value !== labels[key] && value !== 'unknown')
  )
  expect(others).toEqual([])
  expect((await podOf(plane, 'routed')).status).toMatchObject({ phase: 'Running', containerStatuses: [{ restartCount: 0 }] })
})
