import { expect, test } from 'vitest'
import { afterRepair, NO_CONFLICTS, paused } from '../../../src/node-sync/conflicts.ts'
import { snapshotOf } from '../../support/recorded-snapshot.ts'
import { stage } from './stage.ts'

test('8,000 keys that somebody adds one after the other cost no more than the first ones', async () => {
  const snapshot = await snapshotOf('debian-12-headers')
  const { sync, node, time, view, told } = stage()
  await sync.reconcile(snapshot, view())
  const took: number[] = []
  for (let round = 0; round < 8_000; round += 1) {
    time.now += 100
    node.labels[`berth.dev/stray-${round}`] = 'x'
    node.version += 1
    const began = performance.now()
    await sync.reconcile(snapshot, view())
    took.push(performance.now() - began)
  }
  expect(told.filter(what => what.startsWith('added'))).toHaveLength(8_000)
  // What is repaired in a minute is remembered, so that the first 600 cost less.
  const [early, late] = [took.slice(600, 1_600), took.slice(-1_000)].map(some => some.toSorted((a, b) => a - b)[500] as number)
  expect(late).toBeLessThan((early as number) * 3)
})

test('a repaired key is forgotten after a minute', () => {
  let conflicts = NO_CONFLICTS
  for (let round = 0; round < 8_000; round += 1) conflicts = afterRepair(conflicts, [`stray-${round}`], round * 1_000).conflicts
  expect(conflicts.size).toBe(60)
})

test('300,000 keys at once are repaired, and the last of them are remembered', () => {
  const keys = Array.from({ length: 300_000 }, (_, index) => `stray-${index}`)
  let after = { conflicts: NO_CONFLICTS, begun: [] as readonly string[] }
  for (let round = 0; round < 6; round += 1) after = afterRepair(after.conflicts, keys, round)
  expect([after.conflicts.size, after.begun.length]).toEqual([1_000, 1_000])
  expect(paused(after.conflicts, 7)).toEqual({ keys: new Set(keys.slice(-1_000)), until: 60_005 })
})
