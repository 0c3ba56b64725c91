import { expect, test } from 'vitest'
import type { Condition } from '../../../src/node-sync/condition.ts'
import { snapshotOf } from '../../support/recorded-snapshot.ts'
import { stage } from './stage.ts'

const boot = (id: string) => JSON.stringify({ version: '0', boot: id, verdicts: {} })
const snapshot = await snapshotOf('debian-12-headers')

test('writes once, in one request, and not again', async () => {
  const { sync, patches, view } = stage()
  await sync.reconcile(snapshot, view())
  expect(patches).toHaveLength(1)
  await sync.reconcile(snapshot, view())
  expect(patches).toHaveLength(1)
  expect(sync.isPublished()).toBe(true)
})

test('an older Node than the written one is no drift, but is accepted if it stays', async () => {
  const { sync, patches, told, time, view } = stage()
  const old = view()
  await sync.reconcile(snapshot, old)
  await sync.reconcile(snapshot, old)
  expect(patches).toHaveLength(1)
  // Restored from a backup: the cluster counts anew, and the watch never comes to the version that we remember.
  time.now = 60_000
  await sync.reconcile(snapshot, old)
  expect(patches).toHaveLength(2)
  expect(told).toContain('removed berth.dev/cvm')
})

test('a refused label affects no other, and is not tried again at once', async () => {
  const { sync, patches, node, time, view } = stage({}, ({ labels = {} }) => 'berth.dev/machine' in labels)
  await sync.reconcile(snapshot, view())
  expect(node.labels).not.toHaveProperty(['berth.dev/machine'])
  expect(Object.keys(node.labels).length).toBeGreaterThan(5)
  expect(sync.isPublished()).toBe(false)
  const before = patches.length
  await sync.reconcile(snapshot, view())
  expect(patches).toHaveLength(before)
  time.now = 31_000
  await sync.reconcile(snapshot, view())
  expect(patches).toHaveLength(before + 1)
})

test('a repair that is refused is not counted as one', async () => {
  const { sync, node, told, view } = stage({}, ({ labels = {} }) => 'berth.dev/machine' in labels && node.version > 101)
  await sync.reconcile(snapshot, view())
  Object.assign(node.labels, { 'berth.dev/machine': 'falsified', 'berth.dev/cvm': 'falsified' })
  node.version = 200
  await sync.reconcile(snapshot, view())
  expect(node.labels['berth.dev/machine']).toBe('falsified')
  expect(told.filter(one => one.startsWith('changed'))).toEqual(['changed berth.dev/cvm'])
})

test('a key that is changed back again and again is paused, and is repaired after the pause', async () => {
  const { sync, patches, node, time, contested, view } = stage()
  await sync.reconcile(snapshot, view())
  const falsify = async () => {
    node.labels['berth.dev/cvm'] = 'falsified'
    node.version += 1
    await sync.reconcile(snapshot, view())
  }
  for (let round = 0; round < 10; round += 1) await falsify()
  expect(patches).toHaveLength(7)
  expect(contested.at(-1)).toBe(1)
  time.now = 61_000
  await sync.reconcile(snapshot, view())
  expect(node.labels['berth.dev/cvm']).not.toBe('falsified')
  expect(contested.at(-1)).toBe(0)
})

test('a pause that ends because the conflict ended is reported', async () => {
  const { sync, node, time, contested, view } = stage()
  await sync.reconcile(snapshot, view())
  const right = node.labels['berth.dev/cvm'] as string
  for (const value of [...'abcdefg', right]) {
    node.labels['berth.dev/cvm'] = value
    node.version += 1
    await sync.reconcile(snapshot, view())
  }
  expect(contested.at(-1)).toBe(1)
  time.now = 61_000
  await sync.reconcile(snapshot, view())
  expect(contested.at(-1)).toBe(0)
})

test('missing labels on a Node that was created again are no drift', async () => {
  const { sync, node, told, view } = stage()
  await sync.reconcile(snapshot, view())
  Object.assign(node, { uid: 'another', labels: {}, annotations: {}, version: 200 })
  await sync.reconcile(snapshot, view())
  expect(node.labels).toHaveProperty(['berth.dev/cvm'])
  expect(told.filter(one => one.startsWith('removed'))).toEqual([])
})

test('demote sets to unknown what another boot proved, and nothing else', async () => {
  const { sync, node, patches, view } = stage({ 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false', 'example.com/x': 'true' })
  await sync.demote(view(), 'now')
  node.annotations['berth.dev/report'] = boot('now')
  await sync.demote(view(), 'now')
  expect(patches).toEqual([])
  node.annotations['berth.dev/report'] = boot('before')
  await sync.demote(view(), 'now')
  expect(node.labels).toEqual({ 'berth.dev/cvm': 'unknown', 'berth.dev/gpu': 'false', 'example.com/x': 'true' })
  await sync.demote(view(), 'now')
  expect(patches).toHaveLength(1)
})

test('a heartbeat in time is written at once, and one that an outage delayed at a random time within 45 s', async () => {
  const { sync, time, view, conditions } = stage()
  await sync.reconcile(snapshot, view())
  const beats = async (age: number) => {
    const before = conditions.length
    const standing = { ...(conditions.at(-1) as Condition), lastHeartbeatTime: new Date(time.now - age).toISOString() }
    const due = await sync.reconcile(snapshot, { ...view(), condition: standing })
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
