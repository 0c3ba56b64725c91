import { beforeAll, describe, expect, test } from 'vitest'
import { changesOf } from '../../../src/fleet/changes.ts'
import { type FleetNode, fleetNode, reportedVerdict, standingOf } from '../../../src/fleet/fleet-node.ts'
import { noteOf } from '../../../src/fleet/format/words.ts'
import { parseReport } from '../../../src/fleet/parse-report.ts'
import { poolOf, poolText } from '../../../src/fleet/pools.ts'
import { countsOf, nodesOf, poolsOf, reasonsOf, standingsOf, waysOf } from '../../../src/fleet/summary.ts'
import type { V1Node } from '../../../src/kubernetes/models.ts'
import { reportAnnotation } from '../../../src/node-sync/report.ts'
import { CAPABILITIES } from '../../../src/verdicts/all.ts'
import type { Verdict } from '../../../src/verdicts/verdict.ts'
import { machines } from '../../nodes/machines.ts'
import { agentNode, bareNode, fleetOf, formatFleet, NOW, read, recordedFleet } from '../../support/recorded-fleet.ts'
import { snapshotOf } from '../../support/recorded-snapshot.ts'

let nodes: readonly V1Node[]
let read40: readonly FleetNode[]
beforeAll(async () => {
  nodes = await recordedFleet()
  read40 = read(nodes)
})

const now = { at: NOW.getTime(), patience: 15 * 60_000 }
const one = (node: V1Node): FleetNode => read([node])[0] as FleetNode
const plain = (name: string, labels: Readonly<Record<string, string>>): V1Node => ({ metadata: { name, labels } })

describe('the pool of a node', () => {
  test.each([
    [{ 'karpenter.sh/nodepool': 'a' }, 'Karpenter node pool a'],
    [{ 'cloud.google.com/gke-nodepool': 'a' }, 'GKE node pool a'],
    [{ 'eks.amazonaws.com/nodegroup': 'a' }, 'EKS node group a'],
    [{ 'alpha.eksctl.io/nodegroup-name': 'a' }, 'EKS node group a'],
    [{ 'kubernetes.azure.com/agentpool': 'a' }, 'AKS node pool a'],
    [{ agentpool: 'a' }, 'AKS node pool a'],
    [{ 'karpenter.sh/nodepool': 'a', 'kubernetes.azure.com/agentpool': 'b' }, 'Karpenter node pool a'],
    [{ 'eks.amazonaws.com/nodegroup': '', agentpool: 'b' }, 'AKS node pool b'],
    [{ 'example.com/pool': 'mine', 'eks.amazonaws.com/nodegroup': 'b' }, 'pool mine'],
    [{}, 'no pool']
  ])('%j: %s', (labels, text) => {
    expect(poolText(poolOf(labels, 'example.com/pool'))).toBe(text)
  })

  test('is sorted by name, nodes without a pool come last, and equal names of two providers stay separate', () => {
    const labelled = ['z', 'b', 'a'].map(name => plain(name, { 'cloud.google.com/gke-nodepool': name }))
    const pools = poolsOf(read([plain('alone', {}), ...labelled, plain('other', { 'karpenter.sh/nodepool': 'a' })]))
    expect(pools.map(({ pool, nodes: those }) => [poolText(pool), ...those.map(({ name }) => name)])).toEqual([
      ['GKE node pool a', 'a'],
      ['Karpenter node pool a', 'other'],
      ['GKE node pool b', 'b'],
      ['GKE node pool z', 'z'],
      ['no pool', 'alone']
    ])
  })
})

describe('counts', () => {
  test('come from the labels and include every node', () => {
    const value = (node: V1Node, name: string) => node.metadata?.labels?.[`berth.dev/${name}`]
    const isFresh = (node: V1Node) => standingOf(one(node), now) === 'fresh'
    for (const name of CAPABILITIES) {
      const counts = countsOf(read40, name, now)
      const fresh = (label: string) => nodes.filter(node => isFresh(node) && value(node, name) === label).length
      expect(counts).toEqual({
        yes: fresh('true'),
        no: fresh('false'),
        unknown: fresh('unknown'),
        absent: nodes.filter(node => value(node, name) === undefined).length,
        outdated: nodes.filter(node => !isFresh(node) && value(node, name) !== undefined).length
      })
      expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(40)
    }
    expect(countsOf(read40, 'cvm', now)).toEqual({ yes: 34, no: 3, unknown: 0, absent: 1, outdated: 2 })
  })

  test.each([
    ['whose agent is silent', { heartbeat: new Date(NOW.getTime() - 3_600_000) }],
    ['whose heartbeat is in the future', { heartbeat: new Date(NOW.getTime() + 3_600_000) }],
    ['that no agent has observed since it booted', { isRebooted: true }]
  ])('are without the node %s, in every format', async (_, circumstances) => {
    const pool = ['eks.amazonaws.com/nodegroup', 'one'] as const
    const able = await agentNode('able', 'eks-al2023', { pool })
    const outdated = await agentNode('outdated', 'eks-al2023', { pool, ...circumstances })
    const say = (...args: readonly string[]) => formatFleet([able, outdated], args)
    expect(outdated.metadata?.labels?.['berth.dev/cvm']).toBe('true')
    expect(say()).toMatch(/^EKS node group one, 2 nodes +1\/2 /m)
    expect(say()).toMatch(/^all 2 nodes +1\/2 /m)
    expect(say()).toMatch(/^1 node: .* not counted\.$/m)
    expect(say('--why')).toMatch(/cvm +yes .*\(1 of them out of date\)/s)
    const text = say('--capability', 'cvm')
    expect(text).toMatch(/^cvm: 1 of 2 nodes can, 0 cannot, 1 is out of date\.\n/)
    expect(text.slice(text.indexOf('\nCan\n'), text.indexOf('\nOut of date\n'))).not.toContain('outdated')
    expect(text.slice(text.indexOf('\nOut of date\n'))).toMatch(/1 node: last answer yes: .*\n *outdated\n/s)
    const { counts, pools } = JSON.parse(say('--format', 'json'))
    for (const found of [counts, pools[0].counts]) expect(found.cvm).toMatchObject({ yes: 1, no: 0, unknown: 0, outdated: 1 })
    const page = say('--format', 'html')
    expect(page).toContain('<p>1 can, 0 cannot, 1 out of date</p>')
    expect(page).toContain('<td role="cell" class="p">1/2</td>')
  })

  test.each(['True', 'yes', '', 'TRUE'])('a label "%s", which no agent writes, is no yes', value => {
    expect(one(plain('n', { 'berth.dev/cvm': value })).answers).toEqual({ cvm: 'unknown' })
  })

  test('labels with another prefix are ignored', () => {
    const terms = { prefix: 'example.com', poolLabel: '', kept: new Map() }
    expect(fleetNode(nodes[0] as V1Node, terms).answers).toEqual({})
  })
})

describe('an agent', () => {
  const at = (heartbeat: Date) => agentNode('n', 'eks-al2023', { heartbeat })

  test.each([
    [15 * 60_000, 'fresh', ''],
    [15 * 60_000 + 1_000, 'stale', 'stale: last heartbeat 15 min 1 s ago'],
    [-60_000, 'fresh', '']
  ])('whose heartbeat is %i ms old is %s', async (age, standing, note) => {
    const node = one(await at(new Date(NOW.getTime() - age)))
    expect([standingOf(node, now), noteOf(node, now)]).toEqual([standing, note])
  })

  test('that never wrote a heartbeat is stale, and a node without labels has no agent', () => {
    const silent = one(plain('n', { 'berth.dev/cvm': 'true' }))
    expect([standingOf(silent, now), noteOf(silent, now)]).toEqual(['stale', 'stale: no heartbeat'])
    const bare = one(bareNode('n'))
    expect([standingOf(bare, now), noteOf(bare, now)]).toEqual(['absent', 'not labelled by an agent yet'])
  })

  test.each([
    [6 * 60_000, 'stale', /^stale: heartbeat of 2026-11-03T10:06:00\.000Z, which is in the future$/],
    [4 * 60_000, 'fresh', /^$/]
  ])('whose heartbeat is %d ms in the future is %s', async (ahead, standing, note) => {
    const node = one(await agentNode('n', 'eks-al2023', { heartbeat: new Date(NOW.getTime() + ahead) }))
    expect(standingOf(node, now)).toBe(standing)
    expect(noteOf(node, now)).toMatch(note)
  })

  test('that has not observed since the boot is noted, together with what else keeps pods away', async () => {
    const node = await agentNode('n', 'eks-al2023', { isRebooted: true, isCordoned: true })
    expect(noteOf(one(node), now)).toBe('rebooted, not observed since, cordoned')
    const conditions = [{ type: 'Ready', status: 'Unknown' }]
    expect(one({ ...bareNode('n'), status: { conditions } }).notes).toEqual(['not ready'])
  })

  test('is counted once, by its worst standing', () => {
    expect(standingsOf(read40, now)).toEqual({ fresh: 37, stale: 1, rebooted: 1, absent: 1 })
  })
})

describe('the report of a node', () => {
  test.each(Object.keys(machines))('of %s is read as it was written, reasons and ways out too', async name => {
    const snapshot = await snapshotOf(name)
    const text = reportAnnotation(snapshot, '0.1.0')
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096)
    const reading = parseReport(text, new Map())
    expect(reading?.report.version).toBe('0.1.0')
    const short = (whole: string) => expect.stringContaining(whole.slice(0, 25))
    for (const verdict of Object.values(snapshot.verdicts) as Verdict[]) {
      expect(reading?.report.verdicts.get(verdict.name)).toEqual({
        answer: verdict.answer,
        because: short(verdict.because),
        cautions: verdict.cautions.map(short),
        ways: verdict.wayOut.map(short)
      })
    }
  })

  test('is read without ways out if the agent wrote none', () => {
    const text = JSON.stringify({ version: '0', boot: 'b', verdicts: { cvm: { answer: 'no', because: 'old' } } })
    expect(parseReport(text, new Map())?.report.verdicts.get('cvm')).toEqual({
      answer: 'no',
      because: 'old',
      cautions: [],
      ways: []
    })
  })

  test.each(['', 'no JSON', 'null', '[]', '7', '{"verdicts":[]}', `{"verdicts":{},"boot":"${'x'.repeat(20_000)}"}`])(
    'that is none (%#) is said, and nothing throws',
    text => {
      const node = one({ metadata: { name: 'n', annotations: { 'berth.dev/report': text } } })
      expect([node.report, node.notes]).toEqual([undefined, ['its report cannot be read']])
    }
  )

  test('may contain anything: invalid answers are left out, and control characters are spelled out', () => {
    const verdicts = {
      cvm: { answer: 'no', because: '\x1b[2Jgone\u202e', cautions: [7, 'ok'], ways: [0, 9, -1, 'x', null] },
      gpu: { answer: 'maybe', because: 'x' },
      podman: 'yes',
      __proto__: { answer: 'yes' }
    }
    const reading = parseReport(JSON.stringify({ verdicts, ways: ['way\x07'], boot: {}, version: [] }), new Map())
    expect(reading).toEqual({
      boot: '',
      isWhole: false,
      report: {
        version: '',
        verdicts: new Map([['cvm', { answer: 'no', because: '\\u001b[2Jgone\\u202e', cautions: ['ok'], ways: ['way\\u0007'] }]])
      }
    })
  })

  test('is shared by all nodes with the same report', () => {
    const pool = read40.filter(({ pool: { name } }) => name === 'al2023').filter(({ report }) => report !== undefined)
    expect(pool).toHaveLength(8)
    expect(new Set(pool.map(({ report }) => report)).size).toBe(1)
  })

  test('does not override the label, which is what schedulers see', async () => {
    const node = await agentNode('n', 'eks-al2023')
    const labels = { ...node.metadata?.labels, 'berth.dev/cvm': 'false', 'berth.dev/privileged': 'true' }
    const changed = one({ ...node, metadata: { ...node.metadata, labels } })
    expect(reportedVerdict(changed, 'cvm')).toEqual({
      answer: 'no',
      because: expect.stringMatching(/^its label says no, its last report yes: kernel 6\.1/),
      cautions: [],
      ways: []
    })
    expect(reportedVerdict(changed, 'privileged')?.because).toBe('its report does not mention it')
    expect(reportedVerdict(one(bareNode('n')), 'cvm')).toBeUndefined()
  })
})

test.each([7, {}, { metadata: null, spec: 7, status: { conditions: {} } }, { status: { conditions: [null] } }])(
  'a Node that is none (%j) has no name, no answers and no pool',
  value => {
    expect(one(value as never)).toMatchObject({ name: '', answers: {}, pool: { kind: 'none' } })
  }
)

test.each([null, undefined])('%j in the place of a Node is a bug', value => {
  expect(() => one(value as never)).toThrow(TypeError)
})

const saying = (name: string, because: string, more: object = {}): FleetNode => {
  const verdicts = { cvm: { answer: 'no', because, ...more } }
  const annotations = { 'berth.dev/report': JSON.stringify({ verdicts, ways: ['Use Ubuntu.', 'Switch SELinux off.'] }) }
  return one({ metadata: { name, labels: { 'berth.dev/cvm': 'false', agentpool: name[0] as string }, annotations } })
}

describe('reasons', () => {
  test('that differ only in numbers are merged, the most frequent first', () => {
    const found = reasonsOf([saying('a', 'it is 7'), saying('b', 'SELinux'), saying('c', 'it is 123'), one(bareNode('d'))], 'cvm')
    expect(found.map(({ answer, because, nodes: those }) => [answer, because, those.map(({ name }) => name)])).toEqual([
      ['no', 'it is 7 (numbers differ)', ['a', 'c']],
      ['no', 'SELinux', ['b']]
    ])
  })

  test('of yes come first and include their cautions', () => {
    const [first, second] = reasonsOf(read40, 'cvm')
    expect([first?.answer, first?.nodes.length]).toEqual(['yes', 17])
    expect(second).toMatchObject({
      answer: 'yes',
      cautions: ['SELinux is permissive; Sysbox stops working if it is set to enforcing']
    })
    expect(reasonsOf(read40, 'cvm').at(-1)).toMatchObject({ answer: 'no', because: 'user.max_user_namespaces is 0' })
  })
})

describe('what would help most', () => {
  test('is what is enough by itself on most nodes, with the number of nodes of each pool', () => {
    const [both, ubuntu, selinux] = [{ ways: [0, 1] }, { ways: [0] }, { ways: [1] }]
    const found = waysOf(
      [
        saying('a1', 'x', both),
        saying('a2', 'x', ubuntu),
        saying('b1', 'y', both),
        saying('b2', 'z', selinux),
        saying('b3', 'z', selinux),
        saying('b4', 'w (and 2 more)', ubuntu),
        saying('b5', 'w…', ubuntu)
      ],
      'cvm'
    )
    expect(found).toEqual([
      {
        way: 'Switch SELinux off.',
        nodes: 4,
        alone: 2,
        pools: [
          ['AKS node pool b', 3],
          ['AKS node pool a', 1]
        ]
      },
      {
        way: 'Use Ubuntu.',
        nodes: 5,
        alone: 1,
        pools: [
          ['AKS node pool b', 3],
          ['AKS node pool a', 2]
        ]
      }
    ])
  })

  test('does not count nodes with the answer yes', () => {
    const can = new Set(read40.filter(({ answers }) => answers['cached-cvm'] === 'yes').map(({ name }) => name))
    const rest = read40.filter(({ name }) => !can.has(name))
    expect(can.size).toBe(2)
    expect(waysOf(read40, 'cached-cvm')).toEqual(waysOf(rest, 'cached-cvm'))
  })

  test('is printed after the nodes that can and cannot, grouped by pool', () => {
    const text = formatFleet(nodes, ['--capability', 'podman'])
    expect(text).toMatch(/^podman: 32 of 40 nodes can, 5 cannot, 1 has no label, 2 are out of date\.\n/)
    expect(text.match(/^(Can|Cannot|Unknown|Out of date|What would help most)$/gm)).toEqual([
      'Can',
      'Cannot',
      'Out of date',
      'What would help most'
    ])
    const cannot = text.slice(text.indexOf('\nCannot\n'), text.indexOf('\nOut of date'))
    expect(cannot.match(/^ {2}\S.*$/gm)).toEqual(['  EKS node group bottlerocket, 3 of 10', '  Karpenter node pool gpu, 2 of 5'])
    expect(text.slice(text.indexOf('\nWhat would'))).toMatch(/^ {2}3 nodes: /m)
  })
})

describe('the table', () => {
  test('has a line for every node and the counts of every pool', () => {
    const lines = formatFleet(nodes, []).split('\n')
    for (const { name } of read40) expect(lines.filter(line => line.startsWith(`  ${name} `))).toHaveLength(1)
    expect(lines.find(line => line.startsWith('all 40 nodes'))?.split(/\s{2,}/)).toEqual([
      'all 40 nodes',
      ...['34/40', '2/40', '5/40', '3/40', '32/40', '0/40', '7/40', '0/40']
    ])
  })

  test('without nodes says so', () => {
    for (const args of [[], ['--autoscaler']]) expect(formatFleet([], args)).toBe('This cluster has no nodes.\n')
  })

  test('has a line for each of 15,000 nodes', () => {
    const many = Array.from({ length: 15_000 }, (_, index) => plain(`n-${index}`, { 'berth.dev/cvm': 'true' }))
    expect(formatFleet(many, []).split('\n').length).toBeGreaterThan(15_000)
    expect(nodesOf(fleetOf(many))).toHaveLength(15_000)
  })
})

describe('what changed', () => {
  const labelled = (value?: string) => one(plain('n', value === undefined ? {} : { 'berth.dev/cvm': value }))

  test.each([
    [undefined, labelled(), ['n: new, no pool']],
    [labelled(), undefined, ['n: deleted']],
    [labelled('true'), labelled('true'), []],
    [labelled(), labelled('true'), ['n: cvm - → yes: its report does not mention it']],
    [labelled('true'), labelled(), ['n: cvm yes → -']],
    [undefined, undefined, []]
  ])('%#', (before, after, lines) => {
    expect(changesOf(before, after, ['cvm'])).toEqual(lines)
  })

  test('includes notes and reboots, but not heartbeats', async () => {
    const fine = one(await agentNode('n', 'eks-al2023'))
    const later = one(await agentNode('n', 'eks-al2023', { heartbeat: NOW }))
    const bad = one(await agentNode('n', 'eks-al2023', { isCordoned: true, isRebooted: true }))
    expect(changesOf(fine, later, CAPABILITIES)).toEqual([])
    expect(changesOf(fine, bad, CAPABILITIES)).toEqual(['n: cordoned', 'n: rebooted'])
    expect(changesOf(bad, fine, CAPABILITIES)).toEqual(['n: no longer cordoned'])
  })
})
