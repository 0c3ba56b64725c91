import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { AGENT } from '../support/cluster/manifests.ts'
import { CHART, helm } from './chart.ts'

let cluster: ControlPlane
beforeAll(async () => {
  cluster = await startControlPlane()
})
afterAll(() => cluster?.close())

const run = async (...args: readonly string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await helm(...args, '--namespace', AGENT.namespace, '--kubeconfig', cluster.kubeconfig)
  expect(exitCode, stderr).toBe(0)
  return stdout
}

const DAEMON_SET = `/apis/apps/v1/namespaces/${AGENT.namespace}/daemonsets/berth`
const POLICY = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/berth-agent'
const statusOf = async (path: string) => (await cluster.api('GET', path)).status
const variables = async () =>
  (await cluster.api<{ spec: { variables: readonly { expression: string }[] } }>('GET', POLICY)).body.spec.variables

test('Helm installs it on a real API server, changes it, and takes all of it away', { timeout: 150_000 }, async () => {
  const told = await run('install', 'berth', CHART, '--create-namespace')
  expect(told).toContain('kubectl get nodes -L berth.dev/cvm')
  // The namespace that Helm made has no labels, and the notes say what to do about it.
  expect(told).toContain(`kubectl label namespace ${AGENT.namespace} pod-security.kubernetes.io/enforce=privileged`)
  expect([await statusOf(DAEMON_SET), await statusOf(POLICY)]).toEqual([200, 200])

  const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' }
  await cluster.api('PATCH', `/api/v1/namespaces/${AGENT.namespace}`, { metadata: { labels } })
  const again = await run('upgrade', 'berth', CHART, '--set', 'options.label-prefix=example.com', '--set', 'helper.enabled=true')
  expect(again).not.toContain('kubectl label namespace')
  expect(again).toContain('kubectl get nodes -L example.com/cvm')
  expect((await variables())[0]).toMatchObject({ expression: "'example.com/'" })

  await run('uninstall', 'berth')
  expect([await statusOf(DAEMON_SET), await statusOf(POLICY)]).toEqual([404, 404])
})
