import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endAgents, eventually, nodeOf, ownKubeconfig, startAgent } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { applyAll, applyManifests, BASE, type Manifest, replacedOnce } from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import { renderChart } from './chart.ts'
import { renderFrom } from './kustomize.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const COMPONENT = join(BASE, '../components/workspace-namespace')
const recorded = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-workspace-namespace-'))
  await applyManifests(shared)
})
afterAll(async () => {
  await endAgents()
  await rm(directory, { recursive: true })
})

/** A copy of the component, with this name in its one place. */
async function componentFor(namespace: string): Promise<string> {
  const copy = join(directory, namespace)
  await cp(COMPONENT, copy, { recursive: true })
  const file = join(copy, 'rbac.yaml')
  await writeFile(file, replacedOnce(await readFile(file, 'utf8'), '[workspaces]', `[${namespace}]`))
  return copy
}

const makeNamespace = (name: string, level: string) =>
  succeeded(
    `create ${name}`,
    shared.api('POST', '/api/v1/namespaces', { metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': level } } })
  )

interface DaemonSet {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } }
}
interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[]
}

/** Gives the rights that were rendered, and starts an agent with the option as the DaemonSet has it. */
async function installed(name: string, objects: readonly Manifest[]) {
  await applyAll(
    shared,
    objects.filter(({ metadata }) => metadata.name === 'berth-workspace-namespace')
  )
  const [daemonSet] = objects.filter(({ kind }) => kind === 'DaemonSet') as unknown as readonly DaemonSet[]
  const [agent] = daemonSet?.spec.template.spec.containers ?? []
  const option = agent?.env.find(one => one.name === 'BERTH_WORKSPACE_NAMESPACE')?.value
  return await agentOn(name, option ?? 'the option is not set')
}

async function agentOn(name: string, namespace: string) {
  await createNode(shared, realisticNode(name))
  const more = ['--host-root', recorded, '--interval', '1s', '--workspace-namespace', namespace]
  return { agent: await startAgent(name, await ownKubeconfig(shared, name), more), own: nodeOf(shared, name) }
}

const because = async (name: string, capability: string): Promise<string> => {
  const { annotations } = (await nodeOf(shared, name).read()).metadata
  return JSON.parse(annotations?.['berth.dev/report'] ?? '{}').verdicts[capability].because
}

test('installed by kustomize, the agent knows the level of the namespace that the component names', async () => {
  await makeNamespace('wsn-kustomize', 'restricted')
  const { own } = await installed('wsn-by-kustomize', await renderFrom('base', await componentFor('wsn-kustomize')))
  await own.isLabelled({ 'berth.dev/privileged': 'false', 'berth.dev/cvm': 'false' })
  expect(await because('wsn-by-kustomize', 'privileged')).toBe(
    'namespace wsn-kustomize enforces the Pod Security level restricted'
  )
})

test('installed by the chart, the agent knows the level of the namespace that the option names', async () => {
  await makeNamespace('wsn-chart', 'privileged')
  const { own } = await installed('wsn-by-chart', await renderChart('--set', 'options.workspace-namespace=wsn-chart'))
  await own.isLabelled({ 'berth.dev/privileged': 'true', 'berth.dev/cvm': 'true' })
})

test('without the option the chart gives no such right', async () => {
  expect(JSON.stringify(await renderChart())).not.toContain('berth-workspace-namespace')
})

test('without the right it is unknown, with the way out, and the log says it once', async () => {
  await makeNamespace('wsn-forbidden', 'privileged')
  const { agent, own } = await agentOn('wsn-without', 'wsn-forbidden')
  await own.isLabelled({ 'berth.dev/privileged': 'unknown', 'berth.dev/cvm': 'unknown' })
  const why = await because('wsn-without', 'privileged')
  expect(why).toMatch(/does not allow us to read the Namespace "wsn-forbidden"; grant "get".*components\/workspace-namespace/)
  const times = (code: string) => agent.said().split(`"event":"${code}"`).length - 1
  await eventually('it looked four times', () => times('node-looked-at') >= 4)
  expect(times('fact-lost')).toBe(1)
  expect(agent.said()).toContain('"fact":"pod-security"')
})
