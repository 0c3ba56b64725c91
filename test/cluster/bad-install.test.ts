import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { CONDITION_TYPE } from '../../src/node-sync/condition.ts'
import { type AgentProcess, endAgents, eventually, nodeOf, startAgent } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import {
  AGENT,
  applyAll,
  BASE,
  type Manifest,
  mayNotCreateNodes,
  mayReadNodes,
  pathOf,
  readManifests
} from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'

const recorded = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')

// Each test takes something from the installation, so it has a control plane of its own.
let cluster: ControlPlane
let installed: readonly Manifest[]
let directory: string

beforeAll(async () => {
  cluster = await startControlPlane({ release: inject('release') })
  installed = await readManifests(BASE)
  await applyAll(cluster, installed)
  directory = await mkdtemp(join(tmpdir(), 'berth-bad-install-'))
})
afterAll(async () => {
  await endAgents()
  await cluster?.close()
  await rm(directory, { recursive: true, force: true })
})

/** An agent with the token of its pod on a Node of that name. */
async function start(name: string, more: readonly string[] = ['--host-root', recorded]) {
  await createNode(cluster, realisticNode(name))
  const kubeconfig = await writeKubeconfig(directory, {
    cluster: { server: cluster.url, 'certificate-authority': cluster.caFile },
    user: { token: await cluster.tokenFor({ ...AGENT, nodeName: name }) }
  })
  return { agent: await startAgent(name, kubeconfig, more), own: nodeOf(cluster, name) }
}

/** What tells whether the installed objects of a kind are in force. */
const IN_FORCE = {
  ClusterRoleBinding: mayReadNodes,
  ValidatingAdmissionPolicyBinding: async (client: ControlPlane) => () => mayNotCreateNodes(client)
} as const

/** Without the installed objects of a kind while it acts; they are there again and in force when it resolves. */
async function without<T>(kind: keyof typeof IN_FORCE, act: () => Promise<T>): Promise<T> {
  const taken = installed.filter(object => object.kind === kind)
  expect(taken).not.toEqual([])
  const isInForce = await IN_FORCE[kind](cluster)
  for (const object of taken) await succeeded('take', cluster.api('DELETE', pathOf(object)))
  try {
    await eventually('the API server notices', async () => !(await isInForce()))
    return await act()
  } finally {
    await applyAll(cluster, taken)
  }
}

const conditionOf = async (own: ReturnType<typeof nodeOf>) => (await own.conditions()).find(({ type }) => type === CONDITION_TYPE)

/** The first line of the log with that event. */
const told = (agent: AgentProcess, event: string): Promise<string> =>
  eventually(`it tells ${event}`, () => {
    const line = agent
      .said()
      .split('\n')
      .find(one => one.includes(`"event":"${event}"`))
    return line === undefined ? false : (JSON.parse(line).msg as string)
  })

describe('an agent that was badly installed lives, and says what lacks', () => {
  test('without its role: labels come with it', async () => {
    const { agent, own } = await without('ClusterRoleBinding', async () => {
      const begun = await start('no-role')
      expect(await told(begun.agent, 'watch-refused')).toMatch(/cannot watch .*forbidden \(403\).*grant that permission/)
      await eventually('it is not ready', async () => (await begun.agent.get('/readyz')).status === 503)
      expect(await begun.own.ours()).toEqual({})
      return begun
    })
    await own.isLabelled()
    await eventually('it is ready', async () => (await agent.get('/readyz')).status === 200)
  })

  test('without the policy that holds its token', async () => {
    await without('ValidatingAdmissionPolicyBinding', async () => {
      const { agent, own } = await start('no-policy')
      await own.isLabelled()
      expect(await told(agent, 'guard-missing')).toContain('would accept a foreign label')
      expect(await agent.metric('berth_admission_guard_enforced')).toBe(0)
    })
  })

  test('with another prefix than the policy allows', async () => {
    const { agent, own } = await start('other-prefix', ['--host-root', recorded, '--label-prefix', 'example.com'])
    expect(await told(agent, 'write-refused')).toContain('the agent may change only labels below berth.dev/, not example.com/')
    await eventually('its condition stands', () => conditionOf(own).then(one => one ?? false))
    expect(await conditionOf(own)).toMatchObject({ status: 'Unknown', reason: 'LabelsNotPublished' })
    expect(Object.keys((await own.read()).metadata.labels ?? {}).filter(key => key.startsWith('example.com/'))).toEqual([])
    await eventually('it is not ready', async () => (await agent.get('/readyz')).status === 503)
  })

  test.each([
    ['with no host root', '/nowhere', '--host-root is "/nowhere": there is no such directory'],
    ['with an empty host root', undefined, undefined]
  ])('%s', async (what, root, error) => {
    const { agent, own } = await start(what.replaceAll(' ', '-'), ['--host-root', root ?? directory])
    if (error !== undefined) expect(await told(agent, 'host-missing')).toContain(error)
    expect(Object.values(await own.isLabelled())).not.toContain('true')
    expect(await own.ours()).toMatchObject({ 'berth.dev/cvm': 'unknown', 'berth.dev/shiftfs': 'unknown' })
    const condition = await eventually('its condition stands', () => conditionOf(own).then(one => one ?? false))
    expect(condition).toMatchObject({ status: 'Unknown', reason: 'FactsUnknown' })
    expect(condition['message']).toContain('/proc of the node is not mounted below the host root')
    expect(agent.alive()).toBe(true)
  })
})
