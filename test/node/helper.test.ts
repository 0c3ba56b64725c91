import { expect, inject, test } from 'vitest'
import { render } from '../cluster/kustomize.ts'
import { eventually, nodeOf } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { applyAll, type Manifest, replacedOnce } from '../support/cluster/manifests.ts'
import { NODE_NAME, startNode } from './node.ts'
import { eventsOf, offerFuse, PODS, phaseOf, podOf, STARTUP, workspace } from './pods.ts'

const BOTTLEROCKET = `NAME=Bottlerocket
ID=bottlerocket
VERSION="1.44.0 (aws-k8s-1.33)"
PRETTY_NAME="Bottlerocket OS 1.44.0 (aws-k8s-1.33)"
VARIANT_ID=aws-k8s-1.33
VERSION_ID=1.44.0
`
const LIMIT = '/proc/sys/user/max_user_namespaces'

/** The base with the helper, and this permitted. */
async function permitted(permit: string): Promise<readonly Manifest[]> {
  const text = JSON.stringify(await render('helper'))
  return JSON.parse(
    replacedOnce(text, '{"name":"BERTH_PERMIT","value":""}', `{"name":"BERTH_PERMIT","value":"${permit}"}`)
  ) as Manifest[]
}

test('a Node that stands in for Bottlerocket, with user namespaces switched off, hosts Podman once the helper may raise the limit, and goes on to', async () => {
  await using node = await startNode({ images: inject('images'), taints: [STARTUP], cover: { '/etc/os-release': BOTTLEROCKET } })
  const { plane, run } = node
  const own = nodeOf(plane, NODE_NAME)
  const limit = async () => (await run(['cat', LIMIT])).trim()
  const setLimit = (value: number) => run(['sh', '-c', `echo ${value} >${LIMIT}`])
  await setLimit(0)
  await offerFuse(plane)
  for (const pod of [workspace('hung', {}), workspace('routed', { 'berth.dev/podman': 'true' })]) {
    await succeeded(pod.metadata.name, plane.api('POST', PODS, pod))
  }
  // Without a label it is sent there, and hangs without a word about user namespaces; with one it waits, and says for what.
  await eventually('the first pod hangs', async () => /no space left on device/i.test(await eventsOf(plane, 'hung')))
  const scheduled = (await podOf(plane, 'routed')).status.conditions?.find(({ type }) => type === 'PodScheduled')
  expect(scheduled).toMatchObject({
    status: 'False',
    message: expect.stringMatching(/untolerated taint|node affinity\/selector/)
  })

  await applyAll(plane, await permitted('user-namespaces'))
  const applied = Date.now()
  const labels = await own.isLabelled({ 'berth.dev/podman': 'true' })
  console.log(`from the manifests to the label: ${Date.now() - applied} ms, with the start of the pod`)
  expect(labels).toMatchObject({ 'berth.dev/distro': 'bottlerocket-1.44.0', 'berth.dev/cvm': 'false' })
  expect(await limit()).toBe('65536')
  await eventually('the startup taint is gone', async () => (await own.read()).spec['taints'] === undefined)
  for (const name of ['hung', 'routed']) await eventually(`${name} runs`, async () => (await phaseOf(plane, name)) === 'Running')

  // Somebody switches it off again.
  await setLimit(0)
  await eventually('the limit is raised again', async () => (await limit()) === '65536', 150_000)
  await own.isLabelled({ 'berth.dev/podman': 'true' })
})
