import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WORLD } from '../../src/commands/connected.ts'
import type { CheckName } from '../../src/commands/doctor/checks.ts'
import { examineAndTell } from '../../src/commands/doctor.ts'
import { parseConfig } from '../../src/config.ts'
import type { Finding } from '../../src/publish/findings.ts'
import { type AgentProcess, endAgents, eventually, nodeOf, startAgent } from './agent-process.ts'
import { succeeded } from './api.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { writeKubeconfig } from './kubeconfigs.ts'
import { AGENT, applyManifests } from './manifests.ts'
import { createNode, realisticNode } from './nodes.ts'
import { holdFreePort } from './ports.ts'

// Its policy and role are taken away here, so that it must be a control plane of our own.
let plane: ControlPlane
let kubeconfig: string
let listen: string
let agent: AgentProcess

const NAME = 'patient'
const STARTUP = { key: 'startup-taint.cluster-autoscaler.kubernetes.io/berth', effect: 'NoSchedule' }
const BINDING = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/berth-agent'
const ROLE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/berth-agent'

beforeAll(async () => {
  plane = await startControlPlane()
  await applyManifests(plane)
  await createNode(plane, realisticNode(NAME))
  await plane.api('PATCH', `/api/v1/nodes/${NAME}/status`, { status: { nodeInfo: { bootID: bootId() } } })
  kubeconfig = await ownKubeconfig(NAME)
  const { port, release } = await holdFreePort()
  await release()
  listen = `127.0.0.1:${port}`
  agent = await startAgent(NAME, kubeconfig, ['--listen', listen])
  await nodeOf(plane, NAME).isLabelled()
})
afterAll(async () => {
  await endAgents()
  await plane?.close()
})

const bootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

const ownKubeconfig = async (nodeName: string, server = plane.url) =>
  await writeKubeconfig(plane.directory, {
    cluster: { server, 'certificate-authority': plane.caFile },
    user: { token: await plane.tokenFor({ ...AGENT, nodeName }) }
  })

interface Asked {
  readonly kubeconfig: string
  readonly name: string
  readonly listen: string
  readonly format: 'json' | 'table'
  readonly now: () => Date
}

async function doctor(more: Partial<Asked> = {}) {
  const asked = { kubeconfig, name: NAME, listen, format: 'json' as const, now: () => new Date(), ...more }
  const { kubeconfig: file, name, format, now } = asked
  const args = ['doctor', '--kubeconfig', file, '--node-name', name, '--listen', asked.listen, '--format', format]
  let text = ''
  const print = (piece: string) => {
    text += piece
  }
  const clock = { elapsed: () => performance.now(), now }
  const world = { ...WORLD, sleep: async () => undefined }
  const status = await examineAndTell(parseConfig(args, {}, { columns: 80 }), { print, clock }, world)
  const found = format === 'json' ? (JSON.parse(text) as readonly Finding[]) : []
  const of = (check: CheckName) => found.find(one => one.check === check) as Finding
  const answers = Object.fromEntries(found.map(({ check, answer }) => [check, answer]))
  return { status, text, answers, of, wrong: found.filter(({ answer }) => answer !== 'ok').map(({ check }) => check) }
}

test('a right installation is found right in every check, by the own token', async () => {
  await eventually('every check holds', async () => {
    const { status, wrong } = await doctor()
    expect({ status, wrong }).toEqual({ status: 0, wrong: [] })
    return true
  })
  const { text, status } = await doctor({ format: 'table' })
  expect(status).toBe(0)
  expect(text.split('\n').every(line => line.length <= 80)).toBe(true)
  expect(text).toContain('the admission policy refuses a foreign label')
  expect(text).not.toContain('eyJ')
})

test('nothing is left on the Node by the examination', async () => {
  const before = await nodeOf(plane, NAME).read()
  await doctor()
  expect((await nodeOf(plane, NAME).read()).metadata['resourceVersion']).toBe(before.metadata['resourceVersion'])
})

test('an administrator is told what these credentials cannot prove', async () => {
  const { status, of, answers } = await doctor({ kubeconfig: plane.kubeconfig })
  expect({ status, identity: answers['identity'] }).toEqual({ status: 0, identity: 'ok' })
  expect(of('identity').cautions.join()).toContain('name no Node')
  expect(of('permissions').cautions.join()).toContain('more than the agent should have')
  // The agent's own word counts where the administrator's credentials cannot try.
  expect(of('guard').saw).toContain('the agent reports')
})

test("another Node's name is refused", async () => {
  const { status, of } = await doctor({ kubeconfig: await ownKubeconfig('somebody-else') })
  expect(status).toBe(1)
  expect(of('identity')).toMatchObject({ answer: 'no', saw: expect.stringContaining('"somebody-else"') })
  expect(of('identity').wayOut).toContain('spec.nodeName')
})

test('a Node that is not there is told, with where to look', async () => {
  const { status, of } = await doctor({ name: 'nobody', kubeconfig: await ownKubeconfig('nobody') })
  expect(status).toBe(1)
  expect(of('node')).toMatchObject({ answer: 'no', wayOut: expect.stringContaining('kubectl get nodes') })
})

test('an API that is away: said once, and the agent is asked all the same', async () => {
  const { port, release } = await holdFreePort()
  await release()
  const { status, of, answers } = await doctor({ kubeconfig: await ownKubeconfig(NAME, `https://127.0.0.1:${port}`) })
  expect(status).toBe(1)
  expect(of('api')).toMatchObject({ answer: 'no', saw: expect.stringContaining('nothing listens') })
  expect(answers).toMatchObject({ identity: 'unknown', permissions: 'unknown', node: 'unknown', agent: 'ok' })
})

test.each([
  ['behind', -60_000],
  ['ahead of', 60_000]
])('a clock that is %s by a minute', async (direction, shift) => {
  const { status, of } = await doctor({ now: () => new Date(Date.now() + shift) })
  expect(status).toBe(1)
  expect(of('clock')).toMatchObject({ answer: 'no', saw: expect.stringMatching(new RegExp(`(5[89]|60)\\.\\d s ${direction}`)) })
  expect(of('clock').wayOut).toContain('NTP')
})

test('an agent that does not answer', async () => {
  const { port, release } = await holdFreePort()
  await release()
  const { status, of } = await doctor({ listen: `127.0.0.1:${port}` })
  expect(status).toBe(1)
  expect(of('agent')).toMatchObject({ answer: 'no', saw: expect.stringContaining('nothing listens there') })
})

test('a role that lacks a verb, and one that has too many', async () => {
  const role = await succeeded('read the role', plane.api<{ rules: { resources: string[]; verbs: string[] }[] }>('GET', ROLE))
  const withRules = (change: (rule: { resources: string[]; verbs: string[] }) => string[]) =>
    plane.api('PATCH', ROLE, { rules: role.rules.map(rule => ({ ...rule, verbs: change(rule) })) })
  await withRules(({ resources, verbs }) => (resources.includes('events') ? ['create'] : verbs))
  await eventually('it is seen', async () => {
    expect((await doctor()).of('permissions').saw).toBe('lacking: patch events')
    return true
  })
  expect((await doctor()).of('permissions').wayOut).toContain('rbac.yaml')
  await withRules(({ resources, verbs }) => (resources.includes('nodes') ? [...verbs, 'list'] : verbs))
  await eventually('it is seen', async () => {
    expect((await doctor()).of('permissions')).toMatchObject({ answer: 'no', saw: expect.stringContaining('list nodes') })
    return true
  })
  await plane.api('PATCH', ROLE, { rules: role.rules })
})

test('a policy that is not bound', async () => {
  expect((await plane.api('DELETE', BINDING)).status).toBe(200)
  await eventually(
    'it is seen',
    async () => {
      const { status, of } = await doctor()
      expect(status).toBe(1)
      expect(of('guard')).toMatchObject({ answer: 'no', saw: expect.stringContaining('would take a foreign label') })
      expect(of('guard').wayOut).toContain('admission-policy.yaml')
      return true
    },
    60_000
  )
  await applyManifests(plane)
})

test('the taint and the heartbeat of an agent that was stopped', async () => {
  await agent.kill('SIGTERM')
  await nodeOf(plane, NAME).patch({ spec: { taints: [STARTUP] } })
  const { status, of } = await doctor({ now: () => new Date(Date.now() + 3_600_000) })
  expect(status).toBe(1)
  expect(of('taint')).toMatchObject({
    answer: 'no',
    wayOut: expect.stringContaining(`kubectl taint node ${NAME} ${STARTUP.key}-`)
  })
  expect(of('heartbeat')).toMatchObject({ answer: 'no', saw: expect.stringContaining('old') })
  await nodeOf(plane, NAME).label(Object.fromEntries(Object.keys(await nodeOf(plane, NAME).ours()).map(key => [key, null])))
  expect((await doctor()).of('labels')).toMatchObject({ answer: 'no', saw: expect.stringContaining('has not been here') })
})

test('another machine than the Node that was named', async () => {
  const other = '11111111-2222-4333-8444-555555555555'
  await plane.api('PATCH', `/api/v1/nodes/${NAME}/status`, { status: { nodeInfo: { bootID: other } } })
  expect((await doctor()).of('machine')).toMatchObject({ answer: 'no', saw: expect.stringContaining(other) })
})

test('without a name of a Node it says what is missing', async () => {
  const config = parseConfig(['doctor', '--kubeconfig', kubeconfig], {}, {})
  const surroundings = { print: () => undefined, clock: { elapsed: () => 0, now: () => new Date() } }
  await expect(examineAndTell(config, surroundings, WORLD)).rejects.toMatchObject({ status: 2 })
})
