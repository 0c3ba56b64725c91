import { describe, expect, test } from 'vitest'
import { checks, findings } from '../../../src/commands/doctor/checks.ts'
import type { Inspection } from '../../../src/commands/doctor/inspection.ts'
import { NEEDED, named } from '../../../src/commands/doctor/permissions.ts'

const known = <T>(value: T) => ({ ok: true, value }) as const
const failed = (why: string) => ({ ok: false, why }) as const
const page = (text: string, status = 200) => ({ status, text })
const now = new Date('2026-01-05T10:00:00Z')

const RIGHT: Inspection = {
  terms: {
    ...{ nodeName: 'n1', prefix: 'berth.dev', startupTaint: 'example.com/starting', heartbeat: 300_000 },
    ...{ agentAddress: '127.0.0.1:9642', workspaceNamespace: '', version: '0.1.0' }
  },
  server: 'https://api',
  api: known('v1.36.3'),
  identity: known({ user: 'system:serviceaccount:berth:berth-agent', node: 'n1' }),
  node: known({
    bootId: 'b',
    labels: { 'berth.dev/cvm': 'true' },
    annotations: { 'berth.dev/report': '{}' },
    taints: [],
    condition: {
      ...{ type: 'WorkspaceNodeReady', status: 'True', reason: 'Fine', message: '' },
      ...{ lastHeartbeatTime: '2026-01-05T09:59:00Z', lastTransitionTime: '2026-01-05T09:00:00Z' }
    }
  }),
  boot: known('b'),
  allowed: known(NEEDED),
  guard: known({ enforced: true, says: 'it refuses' }),
  write: known(true),
  ahead: known([-900, 900]),
  agent: known({
    ...{ metrics: page('berth_build_info{version="0.1.0",node_version="24"} 1\n'), health: page('fine'), ready: page('fine') },
    node: 'n1'
  }),
  injectors: known([]),
  injection: known(''),
  claims: known([]),
  now
}

const of = (check: keyof typeof checks, change: Partial<Inspection>) => checks[check]({ ...RIGHT, ...change })
const nodeWith = (change: object) => ({
  node: known({ ...(RIGHT.node.ok ? RIGHT.node.value : {}), ...change }) as Inspection['node']
})
const agentWith = (change: object) => ({
  agent: known({ ...(RIGHT.agent.ok ? RIGHT.agent.value : {}), ...change }) as Inspection['agent']
})
const admin = { identity: known({ user: 'admin', node: '' }) }

test('in a correct installation every check is ok, without a way out', () => {
  const found = findings(RIGHT)
  expect(found.map(({ check }) => check)).toEqual(Object.keys(checks))
  for (const finding of found) expect(finding).toMatchObject({ answer: 'ok', cautions: [], wayOut: '' })
})

test('whatever is missing, every check says what it saw, and every no has a way out', () => {
  const parts = [
    'api',
    'identity',
    'node',
    'boot',
    'allowed',
    'guard',
    'write',
    'ahead',
    'agent',
    'injectors',
    'injection',
    'claims'
  ] as const
  let refusals = 0
  for (let set = 0; set < 2 ** parts.length; set++) {
    const missing = parts.filter((_, bit) => set & (1 << bit))
    for (const { answer, saw, wayOut } of findings({
      ...RIGHT,
      ...Object.fromEntries(missing.map(part => [part, failed('gone')]))
    })) {
      expect(saw).not.toBe('')
      if (answer !== 'no') continue
      refusals += 1
      expect(wayOut).not.toBe('')
    }
  }
  expect(refusals).toBeGreaterThan(0)
})

describe('the clock', () => {
  test.each([
    [[-100, 900], 'ok', 'less than a second'],
    [[2_000, 3_000], 'ok', 'about 2.0 s'],
    [[-3_000, -2_000], 'ok', 'about 2.0 s'],
    // The round trip took so long that it may be right.
    [[-30_000, 30_000], 'ok', 'less than a second'],
    [[5_001, 6_000], 'no', 'at least 5.0 s behind'],
    [[-9_000, -8_000], 'no', 'at least 8.0 s ahead of']
  ] as const)('that is ahead by %j ms: %s', (ahead, answer, saw) => {
    expect(of('clock', { ahead: known(ahead) })).toMatchObject({ answer, saw: expect.stringContaining(saw) })
  })
})

describe('the guard', () => {
  const open = { guard: known({ enforced: false, says: 'the API would take it' }) }
  const metric = (value: number) => agentWith({ metrics: page(`x 1\nberth_admission_guard_enforced ${value}\n`) })

  test.each([
    ['the agent’s own token is not restricted', open, 'no'],
    ['an administrator cannot know', { ...open, ...admin }, 'unknown'],
    ['the agent reports to an administrator that it is enforced', { ...open, ...admin, ...metric(1) }, 'ok'],
    ['the agent reports to an administrator that it is not enforced', { ...open, ...admin, ...metric(0) }, 'no'],
    ['a dry run outranks what the agent reports', { ...open, ...metric(1) }, 'no'],
    [
      'an agent of another Node does not count',
      { ...open, ...admin, ...agentWith({ metrics: page('berth_admission_guard_enforced 1\n'), node: 'n2' }) },
      'unknown'
    ]
  ] as [string, Partial<Inspection>, string][])('%s', (_, change, answer) => {
    expect(of('guard', change).answer).toBe(answer)
  })
})

describe('permissions', () => {
  const more = known([...NEEDED, { verb: 'list', resource: 'nodes' }])

  test('that are excessive are a failure for the agent, and a caution for a person', () => {
    expect(of('permissions', { allowed: more })).toMatchObject({ answer: 'no', saw: expect.stringContaining('list nodes') })
    expect(of('permissions', { allowed: more, ...admin })).toMatchObject({
      ...{ answer: 'ok', cautions: [expect.stringContaining('list nodes')] }
    })
  })

  test.each(NEEDED)('without $verb $resource are a failure', lacking => {
    expect(of('permissions', { allowed: known(NEEDED.filter(one => one !== lacking)) })).toMatchObject({
      ...{ answer: 'no', saw: `missing: ${named(lacking)}`, wayOut: expect.stringContaining('rbac.yaml') }
    })
  })

  test('include reading the namespace of the workspaces if one is configured, with its own way out', () => {
    const terms = { ...RIGHT.terms, workspaceNamespace: 'ws' }
    const lacking = of('permissions', { terms })
    expect(lacking).toMatchObject({ answer: 'no', saw: 'missing: get namespaces ws' })
    expect(lacking.wayOut).toMatch(/components\/workspace-namespace.*options\.workspace-namespace/)
    expect(lacking.wayOut).not.toContain('rbac.yaml')
    const right = { verb: 'get', resource: 'namespaces', name: 'ws' }
    expect(of('permissions', { terms, allowed: known([...NEEDED, right]) }).answer).toBe('ok')
    expect(of('permissions', { terms, allowed: known([]) }).wayOut).toMatch(/rbac\.yaml.*components/)
  })
})

describe('the agent', () => {
  test.each([
    ['does not run', { agent: failed('nothing listens there') }, 'no'],
    ['is not expected here', { agent: failed('nothing listens there'), ...nodeWith({ bootId: 'c' }), ...admin }, 'unknown'],
    ['is unhealthy', agentWith({ health: page('stuck', 503) }), 'no'],
    ['is not ready', agentWith({ ready: page('not yet', 503) }), 'no'],
    ['is on another Node', agentWith({ node: 'n2' }), 'no'],
    ['is another program', agentWith({ metrics: page('up 1') }), 'no']
  ] as [string, Partial<Inspection>, string][])('that %s', (_, change, answer) => {
    expect(of('agent', change).answer).toBe(answer)
  })

  test('of another version is a caution', () => {
    expect(of('agent', agentWith({ metrics: page('berth_build_info{node_version="24",version="0.0.9"} 1') }))).toMatchObject({
      ...{ answer: 'ok', saw: expect.stringContaining('berth 0.0.9'), cautions: [expect.stringContaining('0.1.0')] }
    })
  })
})

describe('labels', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`berth.dev/x${index}`, '']))

  test.each([
    [0, 'no'],
    [1, 'ok'],
    [30, 'ok'],
    [31, 'no']
  ])('%i of ours: %s', (count, answer) => {
    expect(of('labels', nodeWith({ labels: { ...many(count), 'berth.dev.example.com/x': '' } })).answer).toBe(answer)
  })

  test('without the report are a caution', () => {
    expect(of('labels', nodeWith({ annotations: {} })).cautions).toEqual([expect.stringContaining('berth.dev/report')])
  })
})

describe('sidecars', () => {
  const terms = { ...RIGHT.terms, workspaceNamespace: 'ws' }
  const some = { injectors: known(['istio-sidecar-injector']) }

  test('that a webhook puts into Pods are a caution and no failure', () => {
    const { answer, cautions } = of('sidecars', some)
    expect([answer, cautions]).toEqual(['ok', [expect.stringContaining('istio-sidecar-injector: CVMs do not support older')]])
  })

  test('that the namespace of the workspaces requests are a caution, even if webhooks cannot be listed', () => {
    const asked = { terms, injection: known('istio.io/rev=canary') }
    const caution = expect.stringContaining('"ws" has istio.io/rev=canary')
    expect(of('sidecars', { ...asked, ...some })).toMatchObject({ answer: 'ok', cautions: [expect.anything(), caution] })
    expect(of('sidecars', { ...asked, injectors: failed('not checked') })).toMatchObject({
      answer: 'unknown',
      cautions: [caution]
    })
  })

  test.each(['injectors', 'injection'] as const)('are unknown without the %s, with a way out', part => {
    expect(of('sidecars', { [part]: failed('not checked: x') })).toMatchObject({
      ...{ answer: 'unknown', saw: 'not checked: x', wayOut: expect.stringContaining('--kubeconfig') }
    })
  })
})

describe('volumes', () => {
  const claim = (name: string, nfs = '') => ({ name: `ws/${name}`, nfs })

  test('on NFS are counted, and three of them are named', () => {
    const claims = known([claim('disk'), ...['a', 'b', 'c', 'd'].map(name => claim(name, 'StorageClass shared of x'))])
    const { answer, saw, cautions } = of('volumes', { claims })
    expect([answer, saw]).toEqual(['ok', 'volume claims of CVMs: 5, on NFS: 4'])
    expect(cautions).toEqual([expect.stringMatching(/ws\/a \(StorageClass shared of x\), ws\/b .*, ws\/c .* and 1 more; /)])
  })

  test('on block storage are fine', () => {
    expect(of('volumes', { claims: known([claim('disk')]) })).toMatchObject({
      ...{ answer: 'ok', saw: 'volume claims of CVMs: 1, none of them on NFS', cautions: [] }
    })
  })

  test('that may not be listed are unknown, and the way out names a namespace only if none is set', () => {
    const claims = failed('not checked: these credentials may not list pods')
    expect(of('volumes', { claims }).wayOut).toContain('--workspace-namespace')
    expect(of('volumes', { claims, terms: { ...RIGHT.terms, workspaceNamespace: 'ws' } }).wayOut).not.toContain('namespace')
  })
})
