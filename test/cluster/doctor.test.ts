import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { parseConfig } from '../../src/cli/config.ts'
import { type CheckName, checks } from '../../src/commands/doctor/checks.ts'
import { runDoctor } from '../../src/commands/doctor.ts'
import { CONDITION_TYPE } from '../../src/node-sync/condition.ts'
import type { Finding } from '../../src/report/findings.ts'
import {
  type AgentProcess,
  BOOT,
  endAgents,
  eventually,
  type HostRoot,
  hostRoot,
  nodeOf,
  startAgent
} from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { AGENT, applyManifests } from '../support/cluster/manifests.ts'
import { createNode, type NodeObject, realisticNode } from '../support/cluster/nodes.ts'
import { type FakeApi, fakeApi, text } from './fake-api.ts'

// Roles and policies are taken away here, which other test files rely on.
let plane: ControlPlane
let root: HostRoot
let agent: AgentProcess
let kubeconfig: string
let listen: string
const open: FakeApi[] = []
const own = 'doctor-own'
const boot = '11111111-1111-4111-8111-111111111111'
const startup = { key: 'startup-taint.cluster-autoscaler.kubernetes.io/berth', effect: 'NoSchedule' } as const
const times = { lastHeartbeatTime: '2026-01-05T10:20:30Z', lastTransitionTime: '2026-01-05T08:00:00Z' }

beforeAll(async () => {
  plane = await startControlPlane({ release: inject('release') })
  root = hostRoot()
  root.write(BOOT, `${boot}\n`)
  await applyManifests(plane)
  await createNode(plane, onThisMachine(own))
  kubeconfig = await kubeconfigOf(await plane.tokenFor({ ...AGENT, nodeName: own }))
  agent = await startAgent(own, kubeconfig, ['--host-root', root.path])
  listen = `127.0.0.1:${await eventually('it listens', agent.port)}`
  await eventually('it is settled', async () => {
    const conditions = await nodeOf(plane, own).conditions()
    const { status } = await agent.get('/readyz')
    return status === 200 && conditions.some(({ type }) => type === CONDITION_TYPE)
  })
})
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})
afterAll(async () => {
  await endAgents()
  await plane?.close()
  root?.remove()
})

/** A Node whose kubelet has seen the same boot as the host root of these tests. */
function onThisMachine(name: string, overrides: Parameters<typeof realisticNode>[1] = {}): NodeObject {
  const node = realisticNode(name, overrides)
  return { ...node, status: { ...node.status, nodeInfo: { ...(node.status['nodeInfo'] as object), bootID: boot } } }
}

const kubeconfigOf = (token: string, server = plane.url): Promise<string> =>
  writeKubeconfig(plane.directory, { cluster: { server, 'certificate-authority': plane.caFile }, user: { token } })

interface Wish {
  readonly node?: string
  readonly kubeconfig?: string
  readonly more?: readonly string[]
  readonly now?: () => Date
}

const argsOf = ({ node = own, kubeconfig: file = kubeconfig, more = [] }: Wish) => [
  ...['doctor', '--kubeconfig', file, '--node-name', node, '--host-root', root.path],
  ...(more.includes('--listen') ? [] : ['--listen', listen]),
  ...more
]

/** What doctor says of each check, and its exit status; in this process, so that a test can give another clock. */
async function ask(wish: Wish = {}) {
  const printed: string[] = []
  const config = parseConfig([...argsOf(wish), '--format', 'json'], {}, {})
  const clock = { elapsed: () => performance.now(), now: wish.now ?? (() => new Date()) }
  const world = { sleep: async () => undefined, random: () => 0, connection: {} }
  const status = await runDoctor(config, { print: piece => printed.push(piece), clock }, world)
  const found = JSON.parse(printed.join('')) as readonly Finding[]
  const of = (check: CheckName) => found.find(finding => finding.check === check) as Finding
  return { status, of, wrong: found.filter(({ answer }) => answer === 'no').map(({ check }) => check) }
}

const answered = (answer: Finding['answer'], saw: string, wayOut = '') =>
  expect.objectContaining({ answer, saw: expect.stringContaining(saw), wayOut: expect.stringContaining(wayOut) })

describe('of a right installation', () => {
  test('everything is ok, as a user sees it', async () => {
    const cwd = join(import.meta.dirname, '../..')
    const { exitCode, stdout, stderr } = await execa(process.execPath, ['src/main.ts', ...argsOf({})], { cwd, reject: false })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    // Of other objects than Nodes the agent's account may read nothing.
    const unknown = ['sidecars', 'volumes']
    for (const check of Object.keys(checks)) {
      expect(stdout).toMatch(new RegExp(`^ {2}${check} +${unknown.includes(check) ? 'unknown' : 'ok'} `, 'm'))
    }
    expect(stdout).toContain('12 ok, 0 no, 2 unknown')
    expect(stdout).not.toContain('caution')
    expect(stdout).not.toContain('eyJ')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  test('needs the name of the Node to be told', async () => {
    await expect(ask({ node: '' })).rejects.toMatchObject({ status: 2, message: expect.stringContaining('--node-name') })
  })

  test('and nothing was written to find that out', async () => {
    await createNode(plane, onThisMachine('doctor-quiet', { labels: { 'berth.dev/cvm': 'true' } }))
    const before = await nodeOf(plane, 'doctor-quiet').read()
    const { of } = await ask({ node: 'doctor-quiet', kubeconfig: await tokenOn('doctor-quiet') })
    expect(of('guard')).toEqual(answered('ok', 'refuse a foreign label'))
    expect(of('writes')).toEqual(answered('ok', 'would accept a label'))
    expect(await nodeOf(plane, 'doctor-quiet').read()).toEqual(before)
  })
})

const tokenOn = async (node: string) => kubeconfigOf(await plane.tokenFor({ ...AGENT, nodeName: node }))

describe('the API', () => {
  test('that is away fails its check; the others say that they were not tried, and the agent is asked all the same', async () => {
    const { status, of, wrong } = await ask({ kubeconfig: await kubeconfigOf('x', 'https://127.0.0.1:1') })
    expect({ status, wrong }).toEqual({ status: 1, wrong: ['api'] })
    expect(of('api')).toEqual(answered('no', 'nothing listens', '--kubeconfig'))
    for (const check of [
      'clock',
      'identity',
      'permissions',
      'writes',
      'node',
      'machine',
      'labels',
      'heartbeat',
      'taint',
      'sidecars',
      'volumes'
    ] as const)
      expect(of(check)).toEqual(answered('unknown', 'not checked, because the API does not respond'))
    expect(of('agent')).toEqual(answered('ok', 'healthy'))
  })

  test('that does not know the token is told once', async () => {
    const { status, of, wrong } = await ask({ kubeconfig: await kubeconfigOf('nobody') })
    expect({ status, wrong }).toEqual({ status: 1, wrong: ['identity'] })
    expect(of('identity')).toEqual(answered('no', '401', 'renew'))
    expect(of('permissions')).toEqual(answered('unknown', 'the API rejects our credentials'))
  })

  test('that is none is told', async () => {
    const server = await fakeApi(text(404, 'text/html', '<html>nothing here</html>'))
    open.push(server)
    const cluster = { server: `http://127.0.0.1:${server.port}`, 'insecure-skip-tls-verify': true }
    const { of } = await ask({ kubeconfig: await writeKubeconfig(plane.directory, { cluster }) })
    expect(of('api')).toEqual(answered('no', '404'))
  })

  test.each([
    [60_000, 'ahead of'],
    [-60_000, 'behind']
  ])('has another clock than we: by %i ms', async (offset, direction) => {
    const { of, wrong } = await ask({ now: () => new Date(Date.now() + offset) })
    expect(wrong).toContain('clock')
    expect(of('clock')).toEqual(answered('no', direction, 'chronyc'))
    const [, seconds] = /at least ([\d.]+) s/.exec(of('clock').saw) ?? []
    // The longer the question was on its way, the less is sure; never more than it is, to the second that HTTP tells.
    expect(Number(seconds)).toBeGreaterThan(5)
    expect(Number(seconds)).toBeLessThanOrEqual(61)
  })
})

describe('the identity', () => {
  test('of a pod on another Node is told, with what follows from it', async () => {
    await createNode(plane, realisticNode('doctor-other'))
    const { status, of, wrong } = await ask({ node: 'doctor-other' })
    expect(status).toBe(1)
    expect(wrong).toEqual(expect.arrayContaining(['identity', 'machine', 'agent']))
    expect(of('identity')).toEqual(answered('no', `"${own}", and --node-name is "doctor-other"`, 'spec.nodeName'))
    expect(of('machine')).toEqual(answered('no', 'is not that Node', 'spec.nodeName'))
    expect(of('agent')).toEqual(answered('no', `that of the Node "${own}"`, '--listen'))
  })

  test('of an administrator proves less, and that is said', async () => {
    const { status, of } = await ask({ kubeconfig: plane.kubeconfig })
    expect(status).toBe(0)
    expect(of('identity').cautions).toEqual([expect.stringContaining('bound to no Node')])
    expect(of('permissions').cautions).toEqual([expect.stringContaining('list nodes')])
    // By the word of the agent that runs here.
    expect(of('guard')).toEqual(answered('ok', 'the agent reports'))
    const elsewhere = await ask({ kubeconfig: plane.kubeconfig, more: ['--listen', '127.0.0.1:1'] })
    expect(elsewhere.of('guard')).toEqual(answered('unknown', "only the agent's own token"))
  })

  test('is on no Node that is there', async () => {
    const { of } = await ask({ node: 'doctor-nowhere', kubeconfig: await tokenOn('doctor-nowhere') })
    expect(of('node')).toEqual(answered('no', '404', 'kubectl get nodes'))
    expect(of('labels')).toEqual(answered('unknown', 'not checked'))
  })
})

const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/berth-agent'

/** Does that to the role, waits until it counts, and puts everything back afterwards. */
async function withRules(rules: readonly object[], act: () => Promise<void>): Promise<void> {
  await succeeded('role', plane.api('PATCH', role, { rules }))
  try {
    await act()
  } finally {
    await applyManifests(plane)
  }
}

const rule = (resource: string, ...verbs: readonly string[]) => ({ apiGroups: [''], resources: [resource], verbs })

describe('the permissions', { timeout: 120_000 }, () => {
  test('that lack are named', async () => {
    const rules = [rule('nodes', 'get', 'watch', 'patch')]
    await withRules(rules, async () => {
      const { of, wrong } = await eventually('the role is felt', async () => {
        const found = await ask()
        return found.wrong.includes('permissions') && found
      })
      expect(of('permissions')).toEqual(answered('no', 'missing: patch nodes/status, list resourceslices', 'rbac.yaml'))
      expect(of('writes')).toEqual(answered('no', '403'))
      expect(wrong).toContain('writes')
    })
  })

  test('that are too many are named', async () => {
    const rules = [
      ...[rule('nodes', 'get', 'watch', 'patch', 'list'), rule('nodes/status', 'patch'), rule('events', 'create', 'patch')],
      { ...rule('resourceslices', 'list'), apiGroups: ['resource.k8s.io'] },
      rule('secrets', 'get')
    ]
    await withRules(rules, async () => {
      const { of } = await eventually('the role is felt', async () => {
        const found = await ask()
        return found.wrong.includes('permissions') && found
      })
      expect(of('permissions')).toEqual(
        answered('no', 'list nodes, create events, patch events, patch events in default, get secrets', 'unbind')
      )
    })
  })
})

describe('the namespace of workspaces', { timeout: 120_000 }, () => {
  const more = ['--workspace-namespace', 'default']

  test('that the agent may not read is missed, with the way out, until it may', async () => {
    const before = await ask({ more })
    expect(before.wrong).toEqual(['permissions'])
    expect(before.of('permissions')).toEqual(
      answered('no', 'missing: get namespaces default', 'manifests/components/workspace-namespace')
    )
    const roles = '/apis/rbac.authorization.k8s.io/v1'
    const metadata = { name: 'doctor-namespace' }
    const rules = [{ ...rule('namespaces', 'get'), resourceNames: ['default'] }]
    await succeeded('role', plane.api('POST', `${roles}/clusterroles`, { metadata, rules }))
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name }
    const subjects = [{ kind: 'ServiceAccount', namespace: AGENT.namespace, name: AGENT.serviceAccount }]
    await succeeded('bind', plane.api('POST', `${roles}/clusterrolebindings`, { metadata, roleRef, subjects }))
    await eventually('the role is felt', async () => (await ask({ more })).of('permissions').answer === 'ok')
    expect((await ask({ more: ['--workspace-namespace', 'kube-system'] })).wrong).toEqual(['permissions'])
  })
})

describe('the admission policy', { timeout: 120_000 }, () => {
  test('that is not bound is missed', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/berth-agent'
    await succeeded('unbind', plane.api('DELETE', path))
    try {
      const found = await eventually(
        'the policy is felt no more',
        async () => {
          const seen = await ask()
          return seen.wrong.includes('guard') && seen.of('guard').saw.includes('foreign label') && seen
        },
        60_000
      )
      expect(found.wrong).toEqual(['guard'])
      expect(found.of('guard')).toEqual(answered('no', 'would accept a foreign label', 'admission-policy.yaml'))
    } finally {
      await applyManifests(plane)
    }
  })

  const policy = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/berth-agent'

  interface Rule {
    readonly expression: string
    readonly message: string
    readonly messageExpression?: string
  }

  /** What doctor says of the guard once the policy has these rules in place of its own. */
  async function guardWith(change: (rules: readonly Rule[]) => readonly Rule[], expected: string): Promise<void> {
    const { spec } = await succeeded(
      'read',
      plane.api<{ readonly spec: { readonly validations: readonly Rule[] } }>('GET', policy)
    )
    await succeeded('change', plane.api('PATCH', policy, { spec: { validations: change(spec.validations) } }))
    try {
      const seen = await eventually('the change is felt', async () => {
        const found = await ask()
        return found.wrong.includes('guard') && found
      })
      expect(seen.of('guard')).toEqual(answered('no', expected, 'admission-policy.yaml'))
    } finally {
      await applyManifests(plane)
      await eventually('the policy is itself again', async () => (await ask()).of('guard').answer === 'ok')
    }
  }

  test('that lets the token change another Node is found out, and which', async () => {
    await createNode(plane, realisticNode('doctor-another'))
    await guardWith(
      rules => rules.filter(({ expression }) => !expression.includes('claimedNode')),
      'the API would accept a change of another Node through /api/v1/nodes/'
    )
  })

  test.each([
    ['of an older version', 'berth policy 1: '],
    ['without a version', '']
  ])('%s is told, and what is expected', async (_, by) => {
    const older = (text: string) => text.replace(/berth policy \d+: /, by)
    await guardWith(
      rules =>
        rules.map(rule => ({
          ...rule,
          message: older(rule.message),
          ...(rule.messageExpression && { messageExpression: older(rule.messageExpression) })
        })),
      'the admission policy berth-agent is version 1, and this berth expects version 2'
    )
  })

  test('of Events that is not bound is missed', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/berth-agent-events'
    await succeeded('unbind', plane.api('DELETE', path))
    try {
      const found = await eventually('the policy is felt no more', async () => {
        const seen = await ask()
        return seen.wrong.includes('guard') && seen
      })
      expect(found.of('guard')).toEqual(
        answered('no', 'would accept an Event about another Node', 'admission-policy-events.yaml')
      )
    } finally {
      await applyManifests(plane)
    }
  })

  test('with another prefix than ours refuses what the agent would write', async () => {
    const { of } = await ask({ more: ['--label-prefix', 'other.example.com'] })
    expect(of('writes')).toEqual(answered('no', 'only labels below berth.dev/', 'admission-policy.yaml'))
    expect(of('labels')).toEqual(answered('no', 'no label with the prefix other.example.com/'))
  })
})

describe('the agent', () => {
  test('that does not run is missed, on its own machine', async () => {
    const { of, wrong } = await ask({ more: ['--listen', '127.0.0.1:1'] })
    expect(wrong).toEqual(['agent'])
    expect(of('agent')).toEqual(answered('no', 'nothing listens there', 'kubectl -n berth get pods'))
  })

  test('is not missed by an administrator on another machine', async () => {
    await createNode(plane, realisticNode('doctor-far'))
    const { of } = await ask({ node: 'doctor-far', kubeconfig: plane.kubeconfig, more: ['--listen', '127.0.0.1:1'] })
    expect(of('machine')).toEqual(answered('unknown', 'is not that Node'))
    expect(of('agent')).toEqual(answered('unknown', 'is not that Node', 'port-forward'))
  })

  test('is not whoever else has its port', async () => {
    const server = await fakeApi(text(200, 'text/plain', 'node_cpu_seconds_total 1\n'))
    open.push(server)
    const { of } = await ask({ more: ['--listen', `127.0.0.1:${server.port}`] })
    expect(of('agent')).toEqual(answered('no', 'is not berth', '--listen'))
  })

  test('that does not get ready is told, with its own reason', async () => {
    const server = await fakeApi((request, response) => {
      const told: Readonly<Record<string, readonly [number, string]>> = {
        '/metrics': [200, 'berth_build_info{version="0.1.0",node_version="24"} 1\n'],
        '/healthz': [200, 'fine\n'],
        '/readyz': [503, 'the labels are not published yet\n'],
        '/status.json': [200, JSON.stringify({ node: own })]
      }
      const [status, body] = told[request.url ?? ''] ?? [404, '']
      response.writeHead(status).end(body)
    })
    open.push(server)
    const { of } = await ask({ more: ['--listen', `:${server.port}`] })
    expect(of('agent')).toEqual(answered('no', '/readyz returns 503: the labels are not published yet', 'logs'))
  })
})

describe('the Node', () => {
  const labels = { 'berth.dev/cvm': 'true' }
  const byAdmin = (node: string) => ask({ node, kubeconfig: plane.kubeconfig })

  test('whose startup taint stands although it has labels should have lost it', async () => {
    await createNode(plane, onThisMachine('doctor-kept', { labels, spec: { taints: [startup] } }))
    expect((await byAdmin('doctor-kept')).of('taint')).toEqual(
      answered('no', 'although it is labelled', `kubectl taint node doctor-kept ${startup.key}-`)
    )
  })

  test('without labels has not seen the agent', async () => {
    await createNode(plane, onThisMachine('doctor-fresh', { spec: { taints: [startup] } }))
    const { of } = await byAdmin('doctor-fresh')
    expect(of('taint')).toEqual(answered('no', 'the agent has not labelled it yet', 'logs'))
    expect(of('labels')).toEqual(answered('no', 'the agent has not labelled this Node yet', 'logs'))
    expect(of('heartbeat')).toEqual(answered('no', 'the agent has not written to this Node yet', 'logs'))
  })

  test('with a taint of somebody else is none of our business', async () => {
    await createNode(plane, onThisMachine('doctor-tainted', { labels, spec: { taints: [{ ...startup, key: 'example.com/x' }] } }))
    expect((await byAdmin('doctor-tainted')).of('taint').answer).toBe('ok')
  })

  test('with 31 labels of ours has too many', async () => {
    const many = Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`berth.dev/x${index}`, 'x']))
    await createNode(plane, onThisMachine('doctor-many', { labels: many }))
    expect((await byAdmin('doctor-many')).of('labels')).toEqual(
      answered('no', '31 labels with the prefix berth.dev/, more than 30')
    )
  })

  test('whose heartbeat is older than three of them is forsaken', async () => {
    const node = onThisMachine('doctor-old', { labels })
    const condition = { type: CONDITION_TYPE, status: 'True', reason: 'Tested', message: '', ...times }
    await createNode(plane, { ...node, status: { ...node.status, conditions: [condition] } })
    const { of } = await byAdmin('doctor-old')
    expect(of('heartbeat')).toEqual(answered('no', 'one is due every 300 s', 'logs'))
    const then = new Date(Date.parse(times.lastHeartbeatTime) + 899_000)
    const early = await ask({ node: 'doctor-old', kubeconfig: plane.kubeconfig, now: () => then })
    expect(early.of('heartbeat')).toEqual(answered('ok', 'True (Tested), heartbeat 14 min 59 s old'))
    const before = new Date(Date.parse(times.lastHeartbeatTime) - 301_000)
    const future = await ask({ node: 'doctor-old', kubeconfig: plane.kubeconfig, now: () => before })
    expect(future.of('heartbeat')).toEqual(answered('no', `is in the future: ${times.lastHeartbeatTime}`, 'compare the clocks'))
  })
})
