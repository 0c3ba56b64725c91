import process from 'node:process'
import { expect, inject, test } from 'vitest'
import { eventually, nodeOf } from '../cluster/agent-process.ts'
import { historyOf, storyOf } from '../cluster/agent-truth.ts'
import { succeeded } from '../cluster/api.ts'
import type { ControlPlane } from '../cluster/control-plane.ts'
import { render } from '../cluster/kustomize.ts'
import { applyAll } from '../cluster/manifests.ts'
import { NODE_NAME, startNode } from './node.ts'
import { offerFuse, PODS, type Pod, phaseOf, podOf, STARTUP, workspace } from './pods.ts'

const BOOT = '/proc/sys/kernel/random/boot_id'
const bootId = (digit: string) => `${digit.repeat(8)}-1111-4111-8111-111111111111\n`
const DAEMON_SET = '/apis/apps/v1/namespaces/berth/daemonsets/berth'

/** The agent's pod that runs and is ready, if there is just one. */
async function agentPod({ api }: ControlPlane): Promise<Pod> {
  const { items } = await succeeded('pods', api<{ items: readonly Pod[] }>('GET', '/api/v1/namespaces/berth/pods'))
  const [pod, ...others] = items
  if (pod === undefined || others.length > 0) throw new Error(`${items.length} pods`)
  if (!pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) throw new Error('not ready')
  return pod
}

test('the DaemonSet labels its Node with its own token, and no update and no reboot costs a label or a workspace', async () => {
  const cover = { [BOOT]: bootId('1') }
  await using node = await startNode({ images: inject('images'), taints: [STARTUP], cover })
  const { plane, run, play } = node
  const own = nodeOf(plane, NODE_NAME)
  await offerFuse(plane)
  await succeeded('workspace', plane.api('POST', PODS, workspace('routed', { 'berth.dev/podman': 'true' })))
  await applyAll(plane, await render())
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
  expect(await run(['sh', '-c', 'for pid in /proc/[0-9]*; do grep -qs [b]erth.mjs $pid/cmdline && stat -c %u $pid; done'])).toBe(
    '65532'
  )

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
