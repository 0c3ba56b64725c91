import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { AGENT, type Manifest, pathOf } from '../support/cluster/manifests.ts'
import { render } from './kustomize.ts'

/** As GKE configures its API server: critical pods only where a quota covers them. */
const LIMITED = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'ResourceQuota',
      configuration: {
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'ResourceQuotaConfiguration',
        limitedResources: [
          {
            resource: 'pods',
            matchScopes: [
              { scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical', 'system-cluster-critical'] }
            ]
          }
        ]
      }
    }
  ]
}

let directory: string
let cluster: ControlPlane
let objects: readonly Manifest[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-quota-'))
  const file = join(directory, 'admission.yaml')
  await writeFile(file, JSON.stringify(LIMITED))
  cluster = await startControlPlane({ apiServerFlags: ['--admission-control-config-file', file] })
  objects = await render()
})
afterAll(async () => {
  await cluster?.close()
  await rm(directory, { recursive: true })
})

const apply = async (kind: string) => {
  const [one] = objects.filter(object => object.kind === kind) as [Manifest]
  const path = `${pathOf(one)}?fieldManager=installer`
  await succeeded(`apply ${kind}`, cluster.api('PATCH', path, one, 'application/apply-patch+yaml'))
  return one
}

/** The pod as the DaemonSet controller would make it. */
const podOfDaemonSet = () => {
  const [daemonSet] = objects.filter(({ kind }) => kind === 'DaemonSet')
  const { template } = (daemonSet as unknown as { readonly spec: { readonly template: { metadata: object; spec: object } } }).spec
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...template.metadata, generateName: 'berth-' }, spec: template.spec }
}
const create = () => cluster.api<{ message?: string }>('POST', `/api/v1/namespaces/${AGENT.namespace}/pods`, podOfDaemonSet())

test('where critical pods need a quota, ours lets the agent in, and without it no agent would start', async () => {
  await apply('Namespace')
  await apply('ServiceAccount')
  // A server that has just started knows the priority classes a moment later.
  await eventually('the API server asks for a quota', async () => {
    const { body } = await create()
    return body.message?.startsWith('insufficient quota to match these scopes') === true
  })

  const quota = await apply('ResourceQuota')
  const { hard } = quota['spec'] as { readonly hard: Readonly<Record<string, string>> }
  // The controller-manager's part: it fills in what is used.
  const counted = { status: { hard, used: { pods: '0' } } }
  await succeeded('count pods', cluster.api('PATCH', `${pathOf(quota)}/status`, counted))
  await eventually('the pod is let in', async () => (await create()).status === 201)
  expect(Number(hard['pods'])).toBeGreaterThan(15_000 * 2) // the largest clusters, in the midst of a rolling update
})
