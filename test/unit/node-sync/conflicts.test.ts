import { expect, test } from 'vitest'
import { afterRepair, type Conflicts, NO_CONFLICTS, paused } from '../../../src/node-sync/conflicts.ts'

/** Repairs of one key at these times. */
const repairs = (times: readonly number[], key = 'k') =>
  times.reduce(
    (before: { conflicts: Conflicts; begun: readonly string[] }, now) => {
      const { conflicts, begun } = afterRepair(before.conflicts, [key], now)
      return { conflicts, begun: [...before.begun, ...begun] }
    },
    { conflicts: NO_CONFLICTS, begun: [] }
  )

test('the sixth repair of a key within a minute begins a pause of a minute, reported once', () => {
  const five = repairs([0, 1, 2, 3, 4])
  expect(five.begun).toEqual([])
  expect(paused(five.conflicts, 5)).toEqual({ keys: new Set(), until: Number.POSITIVE_INFINITY })
  const six = repairs([0, 1, 2, 3, 4, 1_000])
  expect(six.begun).toEqual(['k'])
  expect(paused(six.conflicts, 1_001)).toEqual({ keys: new Set(['k']), until: 61_000 })
  expect(paused(six.conflicts, 61_000).keys.size).toBe(0)
})

test('repairs that are spread over more than a minute are no conflict, and each key has its own', () => {
  expect(repairs(Array.from({ length: 50 }, (_, index) => index * 12_001)).begun).toEqual([])
  const { conflicts } = repairs([0, 1, 2, 3, 4, 5])
  const other = afterRepair(conflicts, ['other'], 6)
  expect(other.begun).toEqual([])
  expect([...paused(other.conflicts, 7).keys]).toEqual(['k'])
})

test('after a pause a key may be repaired five times again', () => {
  const { conflicts } = repairs([0, 1, 2, 3, 4, 5])
  expect(afterRepair(conflicts, ['k'], 60_010).begun).toEqual([])
})

test('a repair counts for less than a minute, whatever the clock shows', () => {
  expect(repairs([0, 1, 2, 3, 4, 60_000]).begun).toEqual([])
  expect(repairs([0, 1, 2, 3, 4, 59_999]).begun).toEqual(['k'])
  expect(repairs([0, 1, 2, 3, 4, 5].map(at => at + 86_400_000)).begun).toEqual(['k'])
})

test('a key that is repaired during its pause stays paused', () => {
  const { conflicts } = repairs([0, 1, 2, 3, 4, 5])
  expect(paused(afterRepair(conflicts, ['k'], 6).conflicts, 7)).toEqual({ keys: new Set(['k']), until: 60_005 })
})
