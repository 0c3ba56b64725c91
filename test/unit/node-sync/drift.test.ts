import { expect, test } from 'vitest'
import { driftOf, NO_QUARRELS, type Quarrels, repaired, resting } from '../../../src/node-sync/drift.ts'

test('drift is what was removed, changed or added below the prefix, and nothing else', () => {
  const right = { 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false', 'berth.dev/machine': 'virtual' }
  const carried = {
    'berth.dev/gpu': 'true',
    'berth.dev/machine': 'virtual',
    'berth.dev/new': 'x',
    'example.com/cvm': 'x',
    'berth.dev.example.com/cvm': 'x',
    'xberth.dev/cvm': 'x',
    'berth.dev': 'x'
  }
  expect(driftOf(right, carried, 'berth.dev')).toEqual([
    { key: 'berth.dev/cvm', kind: 'removed' },
    { key: 'berth.dev/gpu', kind: 'changed' },
    { key: 'berth.dev/new', kind: 'added' }
  ])
  expect(driftOf(right, right, 'berth.dev')).toEqual([])
})

/** Repairs of one key at these times. */
const repairs = (times: readonly number[], key = 'k') =>
  times.reduce(
    (before: { quarrels: Quarrels; begun: readonly string[] }, now) => {
      const { quarrels, begun } = repaired(before.quarrels, [key], now)
      return { quarrels, begun: [...before.begun, ...begun] }
    },
    { quarrels: NO_QUARRELS, begun: [] }
  )

test('the sixth repair of a key within a minute begins a rest of a minute, told once', () => {
  const five = repairs([0, 1, 2, 3, 4])
  expect(five.begun).toEqual([])
  expect(resting(five.quarrels, 5)).toEqual({ keys: new Set(), until: Number.POSITIVE_INFINITY })
  const six = repairs([0, 1, 2, 3, 4, 1_000])
  expect(six.begun).toEqual(['k'])
  expect(resting(six.quarrels, 1_001)).toEqual({ keys: new Set(['k']), until: 61_000 })
  expect(resting(six.quarrels, 61_000).keys.size).toBe(0)
})

test('repairs that are spread over more than a minute are no quarrel, and each key has its own', () => {
  expect(repairs(Array.from({ length: 50 }, (_, index) => index * 12_001)).begun).toEqual([])
  const { quarrels } = repairs([0, 1, 2, 3, 4, 5])
  const other = repaired(quarrels, ['other'], 6)
  expect(other.begun).toEqual([])
  expect([...resting(other.quarrels, 7).keys]).toEqual(['k'])
})

test('after a rest a key has all its patience again', () => {
  const { quarrels } = repairs([0, 1, 2, 3, 4, 5])
  expect(repaired(quarrels, ['k'], 60_010).begun).toEqual([])
})

test('a repair counts for less than a minute, whatever the clock shows', () => {
  expect(repairs([0, 1, 2, 3, 4, 60_000]).begun).toEqual([])
  expect(repairs([0, 1, 2, 3, 4, 59_999]).begun).toEqual(['k'])
  expect(repairs([0, 1, 2, 3, 4, 5].map(at => at + 86_400_000)).begun).toEqual(['k'])
})

test('a key that is repaired in its rest goes on resting', () => {
  const { quarrels } = repairs([0, 1, 2, 3, 4, 5])
  expect(resting(repaired(quarrels, ['k'], 6).quarrels, 7)).toEqual({ keys: new Set(['k']), until: 60_005 })
})
