import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { OPTIONS } from '../../src/cli/options/all.ts'
import { checkGuard } from '../../src/kubernetes/admission-guard/check.ts'
import { EVENT_POLICY, NODE_POLICY, POLICY_VERSION } from '../../src/kubernetes/admission-guard/dry-runs.ts'
import { openConnection } from '../../src/kubernetes/connection.ts'
import { CONDITION_TYPE } from '../../src/node-sync/condition.ts'
import { eventBody } from '../../src/node-sync/events.ts'
import { FACT_LABELS } from '../../src/node-sync/labels.ts'
import { CAPABILITIES } from '../../src/verdicts/all.ts'
import { type Answer, type Api, apiOf, succeeded } from '../support/cluster/api.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { AGENT, applyManifests, BASE, type Manifest, pathOf, readManifests, withAllRights } from '../support/cluster/manifests.ts'
import { bareNode, createNode, NEWER_STATUS_FIELDS, type NodeObject, realisticNode } from '../support/cluster/nodes.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const own = 'guard-own'
const other = 'guard-other'
const account = `system:serviceaccount:${AGENT.namespace}:${AGENT.serviceAccount}`
const startup = { key: 'startup-taint.cluster-autoscaler.kubernetes.io/berth', effect: 'NoSchedule' } as const
const foreign = { key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' } as const
const evicting = { key: 'example.com/evicting', effect: 'NoExecute' } as const
const taints = [foreign, startup, evicting]
const times = { lastHeartbeatTime: '2026-01-05T10:20:30Z', lastTransitionTime: '2026-01-05T08:00:00Z' }
const condition = (type: string, status = 'True') => ({ type, status, reason: 'Tested', message: 'by a test', ...times })

let agent: Api
let unbound: Api
let resourceVersion: string | undefined // of the agent's own Node, as each test finds it

beforeAll(async () => {
  await applyManifests(shared)
  agent = apiOf(shared, { token: await shared.tokenFor({ ...AGENT, nodeName: own }) })
  unbound = apiOf(shared, { token: await shared.tokenFor(AGENT) })
  await renew(ordinary(other))
})
beforeEach(async () => {
  if (resourceVersion === undefined || (await read(own)).metadata.resourceVersion !== resourceVersion) {
    resourceVersion = (await renew(ordinary(own))).metadata.resourceVersion
  }
})

/** Without providerID and podCIDR: once they are set, Kubernetes itself keeps them, and the policy would not be asked. */
function ordinary(name: string): NodeObject {
  const node = realisticNode(name, {
    labels: { 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false', 'example.com/pool': 'a' },
    annotations: { 'berth.dev/report': '{}' },
    spec: { podCIDR: undefined, podCIDRs: undefined, providerID: undefined, taints }
  })
  const conditions = [...(node.status['conditions'] as object[]), condition(CONDITION_TYPE)]
  return { ...node, status: { ...node.status, conditions } }
}

async function renew(node: NodeObject): Promise<NodeObject> {
  const path = `/api/v1/nodes/${node.metadata.name}`
  await shared.api('PATCH', path, { metadata: { finalizers: null } })
  await shared.api('DELETE', path)
  return createNode(shared, node)
}

const read = (name: string) => succeeded(`read ${name}`, shared.api<NodeObject>('GET', `/api/v1/nodes/${name}`))

const types = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml'
}

interface Attempt {
  readonly name: string
  /** On the agent's own Node, through `nodes`, as a merge patch, unless it says otherwise. */
  readonly request: {
    readonly body: unknown
    readonly on?: string
    readonly through?: 'nodes' | 'nodes/status'
    readonly as?: keyof typeof types
  }
  /** What an administrator changes before, as a merge patch. */
  readonly given?: unknown
  /** What the refusal says; the Node is then what it was. Without it the attempt is allowed. */
  readonly refused?: string
  /** What the Node holds afterwards, at least. `untouched`: the API server ignores what was asked. */
  readonly stored?: object | 'untouched'
}

const asked = (by: Api, { body, on = own, through = 'nodes', as = 'merge' }: Attempt['request']): Promise<Answer<Refusal>> => {
  const path = `/api/v1/nodes/${on}${through === 'nodes' ? '' : '/status'}`
  return by('PATCH', `${path}?fieldManager=berth${as === 'apply' ? '&force=true' : ''}`, body, types[as])
}

interface Refusal {
  readonly message: string
}

function attempts(table: readonly Attempt[]): void {
  test.each(table)('$name', async ({ request, given, refused, stored }) => {
    if (given) await succeeded('prepare', shared.api('PATCH', `/api/v1/nodes/${own}`, given))
    const name = request.on ?? own
    const before = await read(name)
    const { status, body } = await asked(agent, request)
    const after = await read(name)
    if (refused !== undefined) {
      expect({ status, message: body.message }).toEqual({ status: 422, message: expect.stringContaining(refused) })
      expect(after).toEqual(before)
      return
    }
    expect({ status, message: body.message }).toEqual({ status: 200, message: undefined })
    if (stored === 'untouched') expect(contentOf(after)).toEqual(contentOf(before))
    else expect(after).toMatchObject(stored ?? {})
  })
}

/** Without what the API server notes down about every write. */
function contentOf({ metadata, ...rest }: NodeObject): object {
  return { ...rest, metadata: { ...metadata, managedFields: [], resourceVersion: '' } }
}

/** Labels, annotations and all other metadata can be written through both, which is easily overlooked. */
const bothWays = (table: readonly Attempt[]): Attempt[] =>
  table.flatMap(attempt => {
    const { name, request } = attempt
    return (['nodes', 'nodes/status'] as const).map(through => ({
      ...attempt,
      ...{ name: `${name}, through ${through}`, request: { ...request, through } }
    }))
  })

const labels = (labels: Record<string, string | null>) => ({ body: { metadata: { labels } } })
const annotations = (annotations: Record<string, string | null>) => ({ body: { metadata: { annotations } } })
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`berth.dev/many-${index}`, 'x']))
const holdsLabels = (labels: Record<string, string>) => ({ metadata: { labels } })

describe('labels', () => {
  attempts(
    bothWays([
      {
        name: 'an own one added',
        request: labels({ 'berth.dev/podman': 'yes' }),
        stored: holdsLabels({ 'berth.dev/podman': 'yes' })
      },
      {
        name: 'an own one changed, another removed',
        request: labels({ 'berth.dev/cvm': 'false', 'berth.dev/gpu': null }),
        stored: holdsLabels({ 'berth.dev/cvm': 'false' })
      },
      ...['kubernetes.io/hostname', 'example.com/x', 'node-role.kubernetes.io/control-plane', 'plain'].map(key => ({
        name: `${key} set`,
        request: labels({ [key]: 'x' }),
        refused: `only labels below berth.dev/, not ${key}`
      })),
      {
        name: 'a foreign one removed',
        request: labels({ 'example.com/pool': null }),
        refused: 'only labels below berth.dev/, not example.com/pool'
      },
      ...['berth.dev.evil.com/x', 'xberth.dev/y', 'berth.devx/y', 'berth.dev', 'x.berth.dev/y'].map(key => ({
        name: `the look-alike ${key}`,
        request: labels({ [key]: 'x' }),
        refused: `only labels below berth.dev/, not ${key}`
      })),
      {
        name: 'an own one and a foreign one at once',
        request: labels({ 'berth.dev/podman': 'yes', 'example.com/x': 'x' }),
        refused: 'only labels below berth.dev/, not example.com/x'
      },
      ...['x', 'cvm2', 'report', 'constructor'].map(name => ({
        name: `the key ${name}, which no agent sets`,
        request: labels({ [`berth.dev/${name}`]: 'x' }),
        refused: `only labels that it knows, not berth.dev/${name}`
      })),
      {
        name: 'a key that no agent knows any more, removed',
        given: labels({ 'berth.dev/old': 'x' }).body,
        request: labels({ 'berth.dev/old': null })
      },
      {
        name: 'the 30th',
        given: labels(many(27)).body,
        request: labels({ 'berth.dev/podman': 'yes' }),
        stored: holdsLabels({ 'berth.dev/podman': 'yes' })
      },
      {
        name: 'the 31st',
        given: labels(many(28)).body,
        request: labels({ 'berth.dev/podman': 'yes' }),
        refused: 'at most 30 labels of the agent'
      },
      {
        name: 'a 36th where somebody else put 35',
        given: labels(many(33)).body,
        request: labels({ 'berth.dev/podman': 'yes' }),
        refused: 'at most 30 labels of the agent'
      },
      {
        name: 'one changed where somebody else put 35',
        given: labels(many(33)).body,
        request: labels({ 'berth.dev/cvm': 'false' }),
        stored: holdsLabels({ 'berth.dev/cvm': 'false' })
      },
      {
        name: 'a value of 64 characters, which Kubernetes refuses',
        request: labels({ 'berth.dev/podman': 'x'.repeat(64) }),
        refused: 'must be no more than 63'
      }
    ])
  )
  attempts([
    {
      name: 'an own one by server-side apply',
      request: { as: 'apply', body: { apiVersion: 'v1', kind: 'Node', metadata: { labels: { 'berth.dev/podman': 'yes' } } } },
      stored: holdsLabels({ 'berth.dev/podman': 'yes' })
    },
    {
      name: 'a foreign one by server-side apply',
      request: { as: 'apply', body: { apiVersion: 'v1', kind: 'Node', metadata: { labels: { 'example.com/pool': 'b' } } } },
      refused: 'only labels below berth.dev/, not example.com/pool'
    },
    {
      name: 'all replaced by a JSON patch',
      request: { as: 'json', body: [{ op: 'replace', path: '/metadata/labels', value: { 'berth.dev/cvm': 'true' } }] },
      refused: 'only labels below berth.dev/, not '
    }
  ])

  test('a dry run is refused alike, so that the guard can be proved without a trace', async () => {
    const patch = (key: string) =>
      agent('PATCH', `/api/v1/nodes/${own}?dryRun=All&fieldManager=berth`, labels({ [key]: 'x' }).body)
    expect(await patch('example.com/x')).toMatchObject({ status: 422 })
    expect(await patch('berth.dev/kvm')).toMatchObject({ status: 200 })
    expect((await read(own)).metadata.resourceVersion).toBe(resourceVersion)
  })

  test('an own one removed is gone', async () => {
    expect(await asked(agent, labels({ 'berth.dev/gpu': null }))).toMatchObject({ status: 200 })
    expect((await read(own)).metadata.labels).not.toHaveProperty(['berth.dev/gpu'])
  })
})

describe('annotations and other metadata', () => {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: '00000000-0000-0000-0000-000000000000' }
  attempts(
    bothWays([
      {
        name: 'the own report',
        request: annotations({ 'berth.dev/report': '{"schema":1}' }),
        stored: { metadata: { annotations: { 'berth.dev/report': '{"schema":1}' } } }
      },
      { name: 'a report of 4096 bytes', request: annotations({ 'berth.dev/report': 'x'.repeat(4096) }) },
      {
        name: 'a report of 4097 bytes',
        request: annotations({ 'berth.dev/report': 'x'.repeat(4097) }),
        refused: 'the report of the agent has at most 4096 bytes'
      },
      {
        name: 'a report of 1366 characters that are 4098 bytes',
        request: annotations({ 'berth.dev/report': '→'.repeat(1366) }),
        refused: 'the report of the agent has at most 4096 bytes'
      },
      ...['proof', 'x'].map(name => ({
        name: `an annotation of 250 KiB under the own prefix, ${name}`,
        request: annotations({ [`berth.dev/${name}`]: 'x'.repeat(250 * 1024) }),
        refused: `only the annotation berth.dev/report, not berth.dev/${name}`
      })),
      { name: 'the own report removed', request: annotations({ 'berth.dev/report': null }) },
      ...['node.alpha.kubernetes.io/ttl', 'example.com/x', 'berth.dev.evil.com/x', 'berth.dev'].map(key => ({
        name: `the annotation ${key}`,
        request: annotations({ [key]: 'x' }),
        refused: `only annotations below berth.dev/, not ${key}`
      })),
      {
        name: 'a foreign annotation removed',
        request: annotations({ 'node.alpha.kubernetes.io/ttl': null }),
        refused: 'only annotations below berth.dev/, not node.alpha.kubernetes.io/ttl'
      },
      {
        name: 'an ownerReference, which would have the Node collected',
        request: { body: { metadata: { ownerReferences: [owner] } } },
        refused: 'no metadata but labels and annotations, not ownerReferences'
      },
      {
        name: 'a finalizer',
        request: { body: { metadata: { finalizers: ['example.com/stay'] } } },
        refused: 'no metadata but labels and annotations, not finalizers'
      },
      {
        name: "somebody's finalizer removed",
        given: { metadata: { finalizers: ['example.com/stay'] } },
        request: { body: { metadata: { finalizers: null } } },
        refused: 'no metadata but labels and annotations, not finalizers'
      }
    ])
  )
})

describe('another Node', () => {
  attempts(
    bothWays([
      {
        name: 'its label',
        request: { ...labels({ 'berth.dev/cvm': 'false' }), on: other },
        refused: `only the Node that its token names: ${own}`
      },
      {
        name: 'an empty patch of it',
        request: { body: {}, on: other },
        refused: `only the Node that its token names: ${own}`
      }
    ])
  )
  attempts([
    {
      name: 'its startup taint',
      request: { as: 'json', body: [{ op: 'remove', path: '/spec/taints/1' }], on: other },
      refused: 'only the Node that its token names'
    },
    {
      name: 'its condition',
      request: {
        as: 'strategic',
        through: 'nodes/status',
        body: { status: { conditions: [condition(CONDITION_TYPE)] } },
        on: other
      },
      refused: 'only the Node that its token names'
    }
  ])
})

const spec = (spec: object) => ({ body: { spec } })
const removal = (place: number) => [
  { op: 'test', path: `/spec/taints/${place}`, value: taints[place] },
  { op: 'remove', path: `/spec/taints/${place}` }
]

describe('taints', () => {
  const refused = `may remove the taint ${startup.key}, and make no other change of taints`
  const changed = (name: string, taints: readonly object[] | null): Attempt => ({ name, request: spec({ taints }), refused })
  const untainted = { spec: { taints: [foreign, evicting] } }
  attempts([
    { name: 'the startup taint removed by a JSON patch', request: { as: 'json', body: removal(1) }, stored: untainted },
    { name: 'the startup taint removed by a merge patch', request: spec(untainted.spec), stored: untainted },
    {
      name: 'two startup taints removed at once',
      given: { spec: { taints: [startup, foreign, { ...startup, effect: 'NoExecute' }] } },
      request: spec({ taints: [foreign] }),
      stored: { spec: { taints: [foreign] } }
    },
    {
      name: 'the startup taint removed as the only one',
      given: { spec: { taints: [startup] } },
      request: { as: 'json', body: [{ op: 'remove', path: '/spec/taints/0' }] },
      stored: { spec: {} }
    },
    { name: 'the startup taint added', given: untainted, request: spec({ taints: [foreign, startup, evicting] }), refused },
    changed('the startup taint with another effect', [foreign, { ...startup, effect: 'NoExecute' }, evicting]),
    changed('the startup taint with a value', [foreign, { ...startup, value: 'x' }, evicting]),
    changed('the startup taint twice', [...taints, { ...startup, effect: 'NoExecute' }]),
    { name: 'a foreign taint removed by a JSON patch', request: { as: 'json', body: removal(0) }, refused },
    changed('a foreign taint removed together with the startup taint', [foreign]),
    changed('all taints removed', null),
    changed('a foreign taint added', [...taints, { key: 'example.com/x', effect: 'NoSchedule' }]),
    changed('a foreign taint in the place of the startup taint', [
      foreign,
      { key: 'example.com/x', effect: 'NoSchedule' },
      evicting
    ]),
    changed('a look-alike in the place of the startup taint', [foreign, { ...startup, key: `${startup.key}-x` }, evicting]),
    changed('the value of a foreign taint', [{ ...foreign, value: 'running' }, startup, evicting]),
    changed('the effect of a foreign taint', [{ ...foreign, effect: 'NoExecute' }, startup, evicting]),
    changed('the time of a foreign taint', [foreign, startup, { ...evicting, timeAdded: '2030-01-01T00:00:00Z' }]),
    changed('the order', [startup, foreign, evicting]),
    {
      name: 'through nodes/status: without effect',
      request: { ...spec({ taints: null }), through: 'nodes/status' },
      stored: 'untouched'
    }
  ])
})

describe('the rest of spec', () => {
  const fields = { unschedulable: true, providerID: 'aws:///x/i-0', podCIDR: '10.9.0.0/24' }
  attempts([
    ...Object.entries(fields)
      .filter(isKnown)
      .map(([field, value]) => ({
        name: field,
        request: spec({ [field]: value }),
        refused: `no field of spec but taints, not ${field}`
      })),
    {
      name: 'podCIDRs',
      request: spec({ podCIDRs: ['10.9.0.0/24', 'fd00::/64'] }),
      refused: 'no field of spec but taints, not podCIDR' // and podCIDRs, in any order
    },
    {
      name: 'uncordoned',
      given: { spec: { unschedulable: true } },
      request: spec({ unschedulable: null }),
      refused: 'unschedulable'
    },
    { name: 'externalID, which Kubernetes refuses', request: spec({ externalID: 'x' }), refused: 'spec.externalID' },
    {
      name: 'configSource, which Kubernetes ignores',
      request: spec({ configSource: { configMap: { namespace: 'x', name: 'x', kubeletConfigKey: 'x' } } }),
      stored: 'untouched'
    },
    {
      name: 'through nodes/status: without effect',
      request: { ...spec({ unschedulable: true }), through: 'nodes/status' },
      stored: 'untouched'
    }
  ])
})

/** What the API server does not know, it does not store, and so the policy does not see it. */
const isKnown = ([field]: readonly [string, unknown]): boolean =>
  shared.release === 'newest' || !NEWER_STATUS_FIELDS.includes(field)

const status = (status: object) => ({ body: { status }, through: 'nodes/status' as const })

describe('status', () => {
  const volume = 'kubernetes.io/csi/example.com^1'
  const fields = {
    capacity: { 'example.com/gpu': '8' },
    allocatable: { 'example.com/gpu': '8' },
    phase: 'Running',
    addresses: [{ type: 'InternalIP', address: '10.9.9.9' }],
    daemonEndpoints: { kubeletEndpoint: { Port: 6443 } },
    nodeInfo: { kernelVersion: '9.9.9' },
    images: [{ names: ['image.example/x:1'], sizeBytes: 1 }],
    volumesInUse: [volume],
    volumesAttached: [{ name: volume, devicePath: '/dev/x' }],
    runtimeHandlers: [{ name: 'sysbox-runc' }],
    features: { supplementalGroupsPolicy: false },
    declaredFeatures: ['Anything']
  }
  attempts([
    ...Object.entries(fields)
      .filter(isKnown)
      .map(([field, value]) => ({
        name: field,
        request: status({ [field]: value }),
        refused: `no field of status but conditions, not ${field}`
      })),
    ...['capacity', 'nodeInfo', 'images'].map(field => ({
      name: `${field} removed`,
      request: status({ [field]: null }),
      refused: `no field of status but conditions, not ${field}`
    })),
    {
      name: 'config, which Kubernetes ignores',
      request: status({ config: { error: 'x' } }),
      stored: 'untouched'
    },
    { name: 'through nodes: without effect', request: { body: { status: fields } }, stored: 'untouched' }
  ])
})

describe('conditions', () => {
  const conditions = (...conditions: object[]) => ({ ...status({ conditions }), as: 'strategic' as const })
  const replaced = (change: (standing: readonly { type: string }[]) => readonly object[]) =>
    status({ conditions: change(ordinary(own).status['conditions'] as { type: string }[]) })
  const refused = `only the conditions ${CONDITION_TYPE}, berth.dev/LabelsPublished`
  const changed = (fields: object) => conditions({ ...condition(CONDITION_TYPE, 'False'), ...fields })
  const ahead = (minutes: number) => `${new Date(Date.now() + minutes * 60_000).toISOString().slice(0, 19)}Z`
  const ours = (status: string, lastHeartbeatTime: unknown = times.lastHeartbeatTime) => ({
    status: { conditions: expect.arrayContaining([{ ...condition(CONDITION_TYPE, status), lastHeartbeatTime }]) }
  })
  attempts([
    { name: 'the own one changed', request: conditions(condition(CONDITION_TYPE, 'False')), stored: ours('False') },
    {
      name: 'the own one by server-side apply, which the agent does not use',
      request: {
        ...{ as: 'apply', through: 'nodes/status' },
        body: { apiVersion: 'v1', kind: 'Node', status: { conditions: [condition(CONDITION_TYPE, 'Unknown')] } }
      },
      refused: 'more than 5 minutes ahead'
    },
    {
      name: 'the published one added',
      request: conditions(condition('berth.dev/LabelsPublished')),
      stored: { status: { conditions: expect.arrayContaining([condition('berth.dev/LabelsPublished')]) } }
    },
    { name: 'a message of 1024 characters', request: changed({ message: '→'.repeat(1024) }), stored: {} },
    { name: 'a message of 900 kB', request: changed({ message: 'x'.repeat(900_000) }), refused: 'a message of 1024 characters' },
    { name: 'a long reason', request: changed({ reason: 'x'.repeat(65) }), refused: 'a reason of 64' },
    { name: 'a status that is none', request: changed({ status: 'x'.repeat(900) }), refused: 'is True, False or Unknown' },
    { name: 'a heartbeat of now', request: changed({ lastHeartbeatTime: ahead(0) }), stored: ours('False', expect.anything()) },
    { name: 'a heartbeat of a clock that is 3 minutes fast', request: changed({ lastHeartbeatTime: ahead(3) }), stored: {} },
    ...[ahead(10), '2099-01-01T00:00:00Z'].map(at => ({
      name: `a heartbeat in the future, ${at.slice(0, 4)}`,
      request: changed({ lastHeartbeatTime: at }),
      refused: 'more than 5 minutes ahead of the API server'
    })),
    {
      name: 'a heartbeat in the future beside a forged stamp',
      request: {
        ...changed({ lastHeartbeatTime: '2099-01-01T00:00:00Z' }),
        body: {
          metadata: { managedFields: [stamp('berth', '2099-01-01T00:00:00Z')] },
          status: { conditions: [{ ...condition(CONDITION_TYPE, 'False'), lastHeartbeatTime: '2099-01-01T00:00:00Z' }] }
        }
      },
      refused: 'berth policy'
    },
    { name: 'no heartbeat', request: changed({ lastHeartbeatTime: null }), stored: {} },
    {
      name: 'the own one removed',
      request: conditions({ $patch: 'delete', type: CONDITION_TYPE }),
      stored: { status: { conditions: realisticNode(own).status['conditions'] } }
    },
    ...['Ready', 'MemoryPressure'].map(type => ({
      name: `${type} changed`,
      request: conditions({ type, status: 'Unknown' }),
      refused
    })),
    {
      name: 'the heartbeat of another',
      request: conditions({ type: 'Ready', lastHeartbeatTime: '2030-01-01T00:00:00Z' }),
      refused
    },
    { name: 'another removed', request: conditions({ $patch: 'delete', type: 'Ready' }), refused },
    { name: 'another added', request: conditions(condition('NetworkUnavailable')), refused },
    { name: 'a look-alike added', request: conditions(condition(`${CONDITION_TYPE}2`)), refused },
    {
      name: 'the own one and another at once',
      request: conditions(condition(CONDITION_TYPE), condition('Ready', 'False')),
      refused
    },
    { name: 'all removed', request: status({ conditions: null }), refused },
    { name: 'the order of others', request: replaced(standing => standing.toReversed()), refused },
    {
      name: 'the own one twice',
      request: replaced(standing => [...standing, condition(CONDITION_TYPE, 'False')]),
      refused: 'each condition of the agent only once'
    }
  ])

  test('by another field manager is refused: the stamp of berth would say nothing of when it was written', async () => {
    const body = { status: { conditions: [{ ...condition(CONDITION_TYPE, 'False') }] } }
    const written = agent('PATCH', `/api/v1/nodes/${own}/status?fieldManager=kubelet`, body, types.strategic)
    expect(await written).toMatchObject({ status: 422, body: { message: expect.stringContaining('as the field manager berth') } })
  })

  test('written every second stays possible', async () => {
    for (let beat = 0; beat < 5; beat++) {
      const at = new Date(Date.now() + beat * 1000).toISOString().slice(0, 19)
      const request = { ...changed({ lastHeartbeatTime: `${at}Z` }) }
      expect(await asked(agent, request)).toMatchObject({ status: 200 })
    }
  })
})

/** An entry of managedFields as a writer to the status leaves it. */
const stamp = (manager: string, time: string, fieldsV1: object = {}) => ({
  ...{ manager, operation: 'Update', apiVersion: 'v1', time, fieldsType: 'FieldsV1', fieldsV1, subresource: 'status' }
})

describe('managedFields', () => {
  const standing = async () => (await read(own)).metadata.managedFields as readonly { manager: string; time: string }[]
  const said = async (request: Attempt['request']) => {
    const { status, body } = await asked(agent, request)
    return { status, message: body.message }
  }
  const refused = (text: string) => ({ status: 422, message: expect.stringContaining(text) })

  test('of another writer are neither emptied nor rewritten', async () => {
    const labelled = { metadata: { labels: { 'example.com/owned': 'x' } } }
    await succeeded('own', shared.api('PATCH', `/api/v1/nodes/${own}?fieldManager=autoscaler`, labelled))
    const before = await standing()
    const entry = before.find(({ manager }) => manager === 'autoscaler')
    expect(entry).toBeDefined()
    const others = before.filter(one => one !== entry)
    const rewritten = [{ fieldsV1: {} }, { time: '2020-01-01T00:00:00Z' }, { manager: 'x' }].map(more => [
      ...others,
      { ...entry, ...more }
    ])
    for (const managedFields of [[{}], others, ...rewritten]) {
      // A label of ours goes with it: a change of managedFields alone is ignored by the API server.
      const body = { metadata: { labels: { 'berth.dev/cvm': 'unknown' }, managedFields } }
      expect(await said({ body })).toEqual(refused('managedFields'))
      await said({ body: { metadata: { managedFields } } })
      await said({ body, through: 'nodes/status' })
      expect(await standing()).toContainEqual(entry)
    }
  })

  test('lose what the agent takes over, and keep the agent writing beside ten other writers', async () => {
    for (let index = 0; index < 12; index++) {
      const body = { metadata: { labels: { 'berth.dev/cvm': `x${index}`, [`example.com/${index}`]: 'x' } } }
      await succeeded('write', shared.api('PATCH', `/api/v1/nodes/${own}?fieldManager=writer-${index}`, body))
      expect(await said(labels({ 'berth.dev/cvm': 'true' }))).toEqual({ status: 200, message: undefined })
    }
    await sleep(1_100) // of entries of the same second the API server might join ours
    for (let index = 0; index < 3; index++) {
      const beat = { ...condition(CONDITION_TYPE), message: `${index}` }
      expect(await said({ ...status({ conditions: [beat] }), as: 'strategic' })).toEqual({ status: 200, message: undefined })
    }
    expect(await said({ as: 'json', body: removal(1) })).toMatchObject({ status: 200 })
  })
})

describe('a Node as small and as large as there are', () => {
  const working = [
    labels({ 'berth.dev/podman': 'yes' }),
    annotations({ 'berth.dev/report': '{}' }),
    { ...status({ conditions: [condition(CONDITION_TYPE)] }), as: 'strategic' as const }
  ]
  const hostile = [labels({ 'example.com/x': 'x' }), spec({ unschedulable: true }), status({ images: null })]

  test('with neither labels nor annotations nor taints nor conditions', async () => {
    const bare = bareNode(own)
    await renew({ ...bare, status: { ...bare.status, conditions: undefined } })
    expect((await read(own)).spec).not.toHaveProperty('taints')
    for (const request of working) expect(await asked(agent, request)).toMatchObject({ status: 200 })
    for (const request of hostile) expect(await asked(agent, request)).toMatchObject({ status: 422 })
  })

  test('of a mebibyte, with 2,000 labels and 2,000 annotations: within the cost that a policy may have', async () => {
    const name = (index: number) => `example.com/${'x'.repeat(40)}-${index}`
    const keys = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [name(index), 'y'.repeat(60)]))
    const images = Array.from({ length: 6000 }, (_, index) => ({
      names: [`image.example/${'z'.repeat(80)}:${index}`],
      sizeBytes: index
    }))
    const node = ordinary(own)
    const stored = await renew({
      ...node,
      metadata: { ...node.metadata, labels: keys, annotations: keys },
      status: { ...node.status, images }
    })
    expect(JSON.stringify(stored).length).toBeGreaterThan(1024 ** 2)
    for (const request of working) expect(await asked(agent, request)).toMatchObject({ status: 200 })
    for (const request of hostile) {
      const { status, body } = await asked(agent, request)
      expect({ status, message: body.message }).toEqual({ status: 422, message: expect.stringContaining('the agent may change') })
    }
  })
})

describe('by the rights of its role', () => {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'guard-made' } }
  const nodes = '/api/v1/nodes'
  const forbidden: [string, string, unknown?][] = [
    ['GET', nodes],
    ['POST', nodes, node],
    ['DELETE', `${nodes}/${own}`],
    ['DELETE', `${nodes}?dryRun=All&fieldSelector=metadata.name=${own}`],
    ['PUT', `${nodes}/${own}`, node],
    ['PUT', `${nodes}/${own}/status`, node],
    ['GET', `${nodes}/${own}/proxy/pods`],
    ['GET', '/api/v1/pods'],
    ['GET', '/api/v1/namespaces'],
    ['GET', '/api/v1/namespaces/berth/secrets'],
    ['GET', '/api/v1/namespaces/berth/configmaps/x'],
    ['GET', '/api/v1/events'],
    ['POST', `/api/v1/namespaces/berth/serviceaccounts/${AGENT.serviceAccount}/token`, {}],
    ['DELETE', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/berth-agent'],
    ['DELETE', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/berth-agent']
  ]
  test.each(forbidden)('%s %s is forbidden', async (method, path, body) => {
    const before = await read(own)
    expect(await agent(method, path, body)).toMatchObject({ status: 403, body: { message: expect.stringContaining(account) } })
    expect(await read(own)).toEqual(before)
  })

  test('server-side apply makes no Node', async () => {
    const applied = agent('PATCH', `${nodes}/guard-made?fieldManager=berth&force=true`, node, types.apply)
    expect(await applied).toMatchObject({ status: 403 })
  })

  test('it reads and watches its Node', async () => {
    expect(await agent('GET', `${nodes}/${own}`)).toMatchObject({ status: 200 })
    const watched = await agent('GET', `${nodes}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name=${own}`)
    expect(watched.status).toBe(200)
  })
})

describe('events', () => {
  const events = (namespace = 'default') => `/api/v1/namespaces/${namespace}/events`
  let count = 0
  const event = (more: object = {}) => {
    const { metadata, ...body } = eventBody(
      { reason: 'RemedyFailed', type: 'Warning', message: 'x' },
      own,
      new Date(),
      `${count++}`
    )
    return { ...body, metadata: { ...metadata, namespace: undefined }, ...more }
  }
  const involving = (more: object) => event({ involvedObject: { ...event().involvedObject, ...more } })

  test('as the agent writes them are taken', async () => {
    expect(await agent('POST', events(), event())).toMatchObject({ status: 201 })
    expect(await agent('POST', events(), event({ message: '→'.repeat(1024) }))).toMatchObject({ status: 201 })
  })

  test('are never changed, counted up or deleted', async () => {
    const one = event()
    expect(await agent('POST', events(), one)).toMatchObject({ status: 201 })
    const path = `${events()}/${one.metadata.name}`
    expect(await agent('PATCH', path, { count: 2 })).toMatchObject({ status: 403 })
    expect(await agent('PUT', path, one)).toMatchObject({ status: 403 })
    expect(await agent('DELETE', path)).toMatchObject({ status: 403 })
    const mighty = withAllRights(shared, account, own)
    const message = expect.stringContaining('berth policy 2: the agent may write an Event, but not change or delete one')
    expect(await mighty('PATCH', path, { count: 2 })).toMatchObject({ status: 422, body: { message } })
    expect(await mighty('DELETE', path)).toMatchObject({ status: 422, body: { message } })
  })

  test.each(['kube-system', 'berth', 'kube-public'])(
    'in the namespace %s are refused, with rights beyond the role too',
    async namespace => {
      expect(await agent('POST', events(namespace), event())).toMatchObject({ status: 403 })
      const message = expect.stringContaining('only in the namespace default')
      const mighty = withAllRights(shared, account, own)
      expect(
        await mighty('POST', events(namespace), event({ involvedObject: { kind: 'Pod', namespace, name: 'x' } }))
      ).toMatchObject({
        status: 422,
        body: { message }
      })
    }
  )

  const about = 'only about the Node that its token names: guard-own'
  const refused: readonly [string, () => object, string][] = [
    ['about another Node', () => involving({ name: other, uid: other }), about],
    ['about another Node by its uid', () => involving({ uid: other }), about],
    ['about a Pod', () => involving({ kind: 'Pod' }), about],
    ['about a Node of another API', () => involving({ apiVersion: 'example.com/v1' }), about],
    ['about a part of the Node', () => involving({ fieldPath: 'x'.repeat(900) }), about],
    ['about nothing', () => event({ involvedObject: {} }), about],
    ['as the kubelet', () => event({ source: { component: 'kubelet', host: own } }), 'only as the component berth'],
    ['as another host', () => event({ source: { component: 'berth', host: other } }), 'only as the component berth'],
    ['of nobody', () => event({ source: {} }), 'only as the component berth'],
    ['with a reason of others', () => event({ reason: 'NodeNotReady' }), 'of the reasons and types'],
    ['of 900 kB', () => event({ message: 'x'.repeat(900_000) }), 'has at most 1024 characters'],
    ['with an action', () => event({ action: 'x'.repeat(900) }), 'and not action'],
    ['with a related object', () => event({ related: { kind: 'Node', name: other } }), 'and not related'],
    ['with another reporter', () => event({ reportingComponent: 'kubelet' }), 'only as the component berth'],
    ['with annotations', () => event({ metadata: { name: 'guard-a', annotations: { x: 'x' } } }), 'and not annotations'],
    ['with a finalizer', () => event({ metadata: { name: 'guard-f', finalizers: ['example.com/stay'] } }), 'and not finalizers']
  ]
  test.each(refused)('%s are refused', async (_, body, message) => {
    const answer = await agent('POST', events(), body())
    expect(answer).toMatchObject({ status: 422, body: { message: expect.stringContaining(message) } })
  })

  test('of the other API are refused, as is what a token without a node writes', async () => {
    const mighty = withAllRights(shared, account, own)
    const note = { regarding: event().involvedObject, reason: 'RemedyFailed', type: 'Warning', note: 'x', action: 'x' }
    const body = { metadata: { name: 'guard-new' }, ...note, eventTime: '2026-01-05T10:20:30.000000Z' }
    const more = { reportingController: 'berth', reportingInstance: 'x' }
    const path = '/apis/events.k8s.io/v1/namespaces/default/events'
    expect(await agent('POST', path, { ...body, ...more })).toMatchObject({ status: 403 })
    expect(await mighty('POST', path, { ...body, ...more })).toMatchObject({ status: 422 })
    const message = expect.stringContaining('the token names no node')
    expect(await unbound('POST', events(), event())).toMatchObject({ status: 422, body: { message } })
  })
})

describe('the check by the agent itself', () => {
  const checked = async (token: string) => {
    const kubeconfig = await writeKubeconfig(shared.directory, {
      cluster: { server: shared.url, 'certificate-authority': shared.caFile },
      user: { token }
    })
    const connection = await openConnection(kubeconfig)
    try {
      return await checkGuard(connection, own, new AbortController().signal)
    } finally {
      await connection.close()
    }
  }

  test('proves the refusal on another Node too', async () => {
    const { enforced, says } = await checked(await shared.tokenFor({ ...AGENT, nodeName: own }))
    expect({ enforced, says }).toEqual({
      enforced: true,
      says: expect.stringMatching(
        /^the admission policies refuse a foreign label, an Event about another Node and every change of the Node "(?!guard-own")[^"]+"$/
      )
    })
  })
})

describe('with rights beyond its role', () => {
  const mighty = withAllRights(shared, account, own)
  const metadata = { name: 'guard-made' }

  test('it creates no Node, and deletes none', async () => {
    const message = expect.stringContaining('may change a Node, but not create or delete one')
    const created = await mighty('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata })
    expect(created).toMatchObject({ status: 422, body: { message } })
    expect(await mighty('DELETE', `/api/v1/nodes/${own}`)).toMatchObject({ status: 422, body: { message } })
    expect(await mighty('DELETE', `/api/v1/nodes/${other}`)).toMatchObject({ status: 422, body: { message } })
    expect((await read(own)).metadata).not.toHaveProperty('deletionTimestamp')
  })

  test.each(['', '/status'])('a whole Node is held to the same rules, nodes%s', async path => {
    const node = await read(own)
    const relabelled = (key: string) => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, [key]: 'x' } }
    })
    const refused = await mighty('PUT', `/api/v1/nodes/${own}${path}`, relabelled('example.com/x'))
    expect(refused).toMatchObject({ status: 422, body: { message: expect.stringContaining('not example.com/x') } })
    expect(await read(own)).toEqual(node)
    expect(await mighty('PUT', `/api/v1/nodes/${own}${path}`, relabelled('berth.dev/kvm'))).toMatchObject({ status: 200 })
  })
})

describe('a token without the claim of a node', () => {
  const requests = [
    labels({ 'berth.dev/cvm': 'false' }),
    annotations({ 'berth.dev/report': '{"schema":1}' }),
    { as: 'json', body: removal(1) } as const,
    { ...status({ conditions: [condition(CONDITION_TYPE, 'False')] }), as: 'strategic' as const },
    { body: {} }
  ]
  test.each(requests)('writes nothing: %j', async request => {
    const before = await read(own)
    const message = expect.stringContaining('the token names no node')
    expect(await asked(unbound, request)).toMatchObject({ status: 422, body: { message } })
    expect(await read(own)).toEqual(before)
  })

  test('nor with rights beyond its role and no extra at all', async () => {
    const request = asked(withAllRights(shared, account), labels({ 'berth.dev/cvm': 'false' }))
    expect(await request).toMatchObject({ status: 422, body: { message: expect.stringContaining('the token names no node') } })
  })
})

describe('others', () => {
  test('an administrator is not affected', async () => {
    const change = { metadata: { labels: { 'example.com/x': 'x' }, finalizers: [] }, spec: { unschedulable: true, taints: [] } }
    expect(await asked(shared.api, { body: change })).toMatchObject({ status: 200 })
    expect(await read(own)).toMatchObject({ metadata: { labels: { 'example.com/x': 'x' } }, spec: { unschedulable: true } })
    expect(await asked(shared.api, status({ capacity: { 'example.com/gpu': '8' } }))).toMatchObject({ status: 200 })
  })

  test.each(['berth:berth-agent2', 'berth2:berth-agent', 'kube-system:berth-agent'])('nor is the account %s', async name => {
    const api = withAllRights(shared, `system:serviceaccount:${name}`)
    expect(await asked(api, labels({ 'example.com/x': 'x' }))).toMatchObject({ status: 200 })
  })
})

interface Variable {
  readonly name: string
  readonly expression: string
}

describe('the manifests', () => {
  let manifests: readonly Manifest[]
  beforeAll(async () => {
    manifests = await readManifests(BASE)
  })
  const one = (kind: string, name?: string): Manifest => {
    const found = manifests.filter(manifest => manifest.kind === kind && (name === undefined || manifest.metadata.name === name))
    expect(found).toHaveLength(1)
    return found[0] as Manifest
  }

  test('name one account and one policy throughout', () => {
    const { name, namespace } = one('ServiceAccount').metadata
    expect({ namespace, serviceAccount: name }).toEqual(AGENT)
    expect(one('Namespace').metadata.name).toBe(namespace)
    expect(one('ServiceAccount')).toMatchObject({ automountServiceAccountToken: false })
    expect(one('ClusterRoleBinding')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: one('ClusterRole').metadata.name },
      subjects: [{ kind: 'ServiceAccount', namespace, name }]
    })
    expect(one('RoleBinding')).toMatchObject({
      metadata: { namespace: 'default' },
      roleRef: { kind: 'Role', name: one('Role').metadata.name },
      subjects: [{ kind: 'ServiceAccount', namespace, name }]
    })
    const expression = `request.userInfo.username == 'system:serviceaccount:${namespace}:${name}'`
    for (const policyName of [NODE_POLICY, EVENT_POLICY]) {
      const policy = one('ValidatingAdmissionPolicy', policyName)
      expect(policy).toMatchObject({ spec: { failurePolicy: 'Fail', matchConditions: [{ expression }] } })
      const spec = { policyName, validationActions: ['Deny'] }
      expect(one('ValidatingAdmissionPolicyBinding', policyName)['spec']).toEqual(spec)
    }
  })

  test('say the version of the policy in every refusal, as the agent expects it', () => {
    interface Rule {
      readonly message: string
      readonly messageExpression?: string
    }
    for (const policyName of [NODE_POLICY, EVENT_POLICY]) {
      const { validations } = one('ValidatingAdmissionPolicy', policyName)['spec'] as { readonly validations: readonly Rule[] }
      for (const { message, messageExpression } of validations) {
        expect(message).toMatch(new RegExp(`^berth policy ${POLICY_VERSION}: `))
        if (messageExpression !== undefined) expect(messageExpression).toMatch(new RegExp(`^'berth policy ${POLICY_VERSION}: `))
      }
    }
  })

  test('know every label that the agent sets', () => {
    const { variables } = one('ValidatingAdmissionPolicy', NODE_POLICY)['spec'] as { readonly variables: readonly Variable[] }
    const known = variables.find(({ name }) => name === 'knownLabels')?.expression ?? ''
    for (const name of [...CAPABILITIES, ...FACT_LABELS.map(({ name }) => name)]) expect(known).toContain(`'${name}'`)
  })

  test('grant what the contract says, and nothing else', () => {
    expect(one('ClusterRole')['rules']).toEqual([
      { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'watch', 'patch'] },
      { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
      { apiGroups: ['resource.k8s.io'], resources: ['resourceslices'], verbs: ['list'] }
    ])
    expect(one('Role')['rules']).toEqual([{ apiGroups: [''], resources: ['events'], verbs: ['create'] }])
  })

  test("name the agent's own prefix, taint and condition, each once", () => {
    const prefix = `${OPTIONS['label-prefix'].fallback}/`
    const policy = JSON.stringify(one('ValidatingAdmissionPolicy', NODE_POLICY))
    for (const name of [prefix, startup.key, CONDITION_TYPE]) expect(policy.split(`'${name}'`)).toHaveLength(2)
    const { variables } = one('ValidatingAdmissionPolicy', NODE_POLICY)['spec'] as { variables: readonly Variable[] }
    expect(variables.slice(0, 2)).toEqual([
      { name: 'prefix', expression: `'${prefix}'` }, // overlays name both by their place
      { name: 'startupTaint', expression: `'${startup.key}'` }
    ])
  })

  test.each([NODE_POLICY, EVENT_POLICY])('compile: the API server takes %s under another name, and strictly', async name => {
    const policy = one('ValidatingAdmissionPolicy', name)
    const copy = { ...policy, metadata: { name: 'guard-copy' } }
    const collection = pathOf(policy).replace(/\/[^/]*$/, '')
    const created = shared.api('POST', `${collection}?dryRun=All&fieldValidation=Strict`, copy)
    expect(await created).toMatchObject({ status: 201 })
  })

  test('can be applied again, and by several at once', async () => {
    await Promise.all([applyManifests(shared), applyManifests(shared)])
  })
})
