import { expect, test } from 'vitest'
import { ApiError } from '../../../src/cluster/api-error.ts'
import type { Call, Connection } from '../../../src/cluster/connection.ts'
import type { Condition } from '../../../src/publish/condition.ts'
import { createPublisher, type NodeView } from '../../../src/publish/publisher.ts'
import { snapshotOf } from './sample.ts'

interface Metadata {
  readonly labels?: Readonly<Record<string, string | null>>
  readonly annotations?: Readonly<Record<string, string | null>>
}

/** A Node in memory, as an API server would keep it, and a publisher on it. */
function stage(labels: Record<string, string> = {}, refuse: (metadata: Metadata) => boolean = () => false) {
  const node = { uid: 'u', version: 100, labels: { ...labels }, annotations: {} as Record<string, string> }
  const patches: Metadata[] = []
  const told: string[] = []
  const conditions: Condition[] = []
  const time = { now: 0 }
  const merge = (into: Record<string, string>, from: Metadata['labels'] = {}) => {
    for (const [key, value] of Object.entries(from)) {
      if (value === null) delete into[key]
      else into[key] = value
    }
  }
  const answer = () => ({
    metadata: {
      uid: node.uid,
      resourceVersion: `${node.version}`,
      labels: { ...node.labels },
      annotations: { ...node.annotations }
    }
  })
  const label = ({ metadata }: { readonly metadata: Metadata }) => {
    patches.push(metadata)
    if (refuse(metadata)) throw new ApiError('refused by a policy', { status: 422 })
    merge(node.labels, metadata.labels)
    merge(node.annotations, metadata.annotations)
  }
  const call = async (_: unknown, { method, path, body }: Call) => {
    if (method === 'POST') {
      told.push((body as { readonly reason: string }).reason)
      return {}
    }
    if (path.includes('/status')) {
      const { status } = body as { readonly status: { readonly conditions: readonly Condition[] } }
      conditions.push(...status.conditions)
    } else label(body as { readonly metadata: Metadata })
    node.version += 1
    return answer()
  }
  const connection = { server: '', call } as unknown as Connection
  const contested: number[] = []
  const publisher = createPublisher({
    ...{ connection, prefix: 'berth.dev', version: '0', startupTaint: 'start', heartbeat: 300_000, unknownAfter: 600_000 },
    ...{ clock: { elapsed: () => time.now, now: () => new Date(time.now) }, random: () => 0.5 },
    listener: {
      wrote: () => undefined,
      repaired: ({ key, kind }) => told.push(`${kind} ${key}`),
      contested: keys => contested.push(keys)
    }
  })
  const view = (): NodeView => ({
    ...answer().metadata,
    ...{ name: 'n', taints: [], condition: undefined }
  })
  return { node, patches, told, time, contested, conditions, publisher, view }
}

const boot = (id: string) => JSON.stringify({ version: '0', boot: id, verdicts: {} })
const snapshot = await snapshotOf('debian-12-headers')

test('writes once, in one request, and not again', async () => {
  const { publisher, patches, view } = stage()
  await publisher.publish(snapshot, view())
  expect(patches).toHaveLength(1)
  await publisher.publish(snapshot, view())
  expect(patches).toHaveLength(1)
  expect(publisher.isPublished()).toBe(true)
})

test('an older Node than the one that was written is no drift, but is believed when it stays', async () => {
  const { publisher, patches, told, time, view } = stage()
  const old = view()
  await publisher.publish(snapshot, old)
  await publisher.publish(snapshot, old)
  expect(patches).toHaveLength(1)
  // Restored from a backup: the cluster counts anew, and the watch never comes to the version that we remember.
  time.now = 60_000
  await publisher.publish(snapshot, old)
  expect(patches).toHaveLength(2)
  expect(told).toContain('removed berth.dev/cvm')
})

test('a refused label costs no other, and is not asked for again at once', async () => {
  const { publisher, patches, node, time, view } = stage({}, ({ labels = {} }) => 'berth.dev/machine' in labels)
  await publisher.publish(snapshot, view())
  expect(node.labels).not.toHaveProperty(['berth.dev/machine'])
  expect(Object.keys(node.labels).length).toBeGreaterThan(5)
  expect(publisher.isPublished()).toBe(false)
  const before = patches.length
  await publisher.publish(snapshot, view())
  expect(patches).toHaveLength(before)
  time.now = 31_000
  await publisher.publish(snapshot, view())
  expect(patches).toHaveLength(before + 1)
})

test('a repair that is refused is not counted as one', async () => {
  const { publisher, node, told, view } = stage({}, ({ labels = {} }) => 'berth.dev/machine' in labels && node.version > 101)
  await publisher.publish(snapshot, view())
  Object.assign(node.labels, { 'berth.dev/machine': 'falsified', 'berth.dev/cvm': 'falsified' })
  node.version = 200
  await publisher.publish(snapshot, view())
  expect(node.labels['berth.dev/machine']).toBe('falsified')
  expect(told.filter(one => one.startsWith('changed'))).toEqual(['changed berth.dev/cvm'])
})

test('a key that is undone again and again rests, and is mended after the rest', async () => {
  const { publisher, patches, node, time, contested, view } = stage()
  await publisher.publish(snapshot, view())
  const falsify = async () => {
    node.labels['berth.dev/cvm'] = 'falsified'
    node.version += 1
    await publisher.publish(snapshot, view())
  }
  for (let round = 0; round < 10; round += 1) await falsify()
  expect(patches).toHaveLength(7)
  expect(contested.at(-1)).toBe(1)
  time.now = 61_000
  await publisher.publish(snapshot, view())
  expect(node.labels['berth.dev/cvm']).not.toBe('falsified')
  expect(contested.at(-1)).toBe(0)
})

test('a rest that ends because the other gave in is told too', async () => {
  const { publisher, node, time, contested, view } = stage()
  await publisher.publish(snapshot, view())
  const right = node.labels['berth.dev/cvm'] as string
  for (const value of [...'abcdefg', right]) {
    node.labels['berth.dev/cvm'] = value
    node.version += 1
    await publisher.publish(snapshot, view())
  }
  expect(contested.at(-1)).toBe(1)
  time.now = 61_000
  await publisher.publish(snapshot, view())
  expect(contested.at(-1)).toBe(0)
})

test('a Node that was made anew has lost nothing to anybody', async () => {
  const { publisher, node, told, view } = stage()
  await publisher.publish(snapshot, view())
  Object.assign(node, { uid: 'another', labels: {}, annotations: {}, version: 200 })
  await publisher.publish(snapshot, view())
  expect(node.labels).toHaveProperty(['berth.dev/cvm'])
  expect(told.filter(one => one.startsWith('removed'))).toEqual([])
})

test('demote takes back what another boot proved, and nothing else', async () => {
  const { publisher, node, patches, view } = stage({ 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false', 'example.com/x': 'true' })
  await publisher.demote(view(), 'now')
  node.annotations['berth.dev/report'] = boot('now')
  await publisher.demote(view(), 'now')
  expect(patches).toEqual([])
  node.annotations['berth.dev/report'] = boot('before')
  await publisher.demote(view(), 'now')
  expect(node.labels).toEqual({ 'berth.dev/cvm': 'unknown', 'berth.dev/gpu': 'false', 'example.com/x': 'true' })
  await publisher.demote(view(), 'now')
  expect(patches).toHaveLength(1)
})

test('a heartbeat in time is written at once, and one that an outage delayed at a time of its own within 45 s', async () => {
  const { publisher, time, view, conditions } = stage()
  await publisher.publish(snapshot, view())
  const beats = async (age: number) => {
    const before = conditions.length
    const standing = { ...(conditions.at(-1) as Condition), lastHeartbeatTime: new Date(time.now - age).toISOString() }
    const due = await publisher.publish(snapshot, { ...view(), condition: standing })
    return { wrote: conditions.length - before, due }
  }
  time.now += 3_600_000
  expect(await beats(301_000)).toMatchObject({ wrote: 1 })
  expect(await beats(400_000)).toEqual({ wrote: 0, due: 22_500 })
  time.now += 22_400
  expect(await beats(422_400)).toEqual({ wrote: 0, due: 100 })
  time.now += 100
  expect(await beats(422_500)).toMatchObject({ wrote: 1 })
  expect(await beats(400_000)).toEqual({ wrote: 0, due: 22_500 })
  time.now += 60_000
  expect(await beats(1_000), 'the agent before us wrote it').toEqual({ wrote: 0, due: 299_000 })
})
