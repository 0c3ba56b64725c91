import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoff } from '../../../src/cluster/backoff.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('a wait is never negative, and never longer than 12 s; a server’s own time adds at most a second', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), chance, fc.integer({ min: 0, max: 1e9 }), (failures, random, retryAfter) => {
      const wait = backoff(failures, () => random, retryAfter)
      expect(wait).toBeGreaterThanOrEqual(Math.min(12_000, retryAfter))
      expect(wait).toBeLessThanOrEqual(retryAfter > 0 ? Math.min(12_000, retryAfter) + 1_000 : 12_000)
    })
  )
})

test('the bound doubles with each failure, and all of it is used', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7].map(failures => backoff(failures, () => 1))
  expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 12_000, 12_000])
  expect(backoff(7, () => 0)).toBe(0)
})
