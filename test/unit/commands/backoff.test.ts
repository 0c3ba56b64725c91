import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoff, WINDOW } from '../../../src/kubernetes/reconnect-window.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('a wait is never negative, never longer than the window, and at least what the server asked for within it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), chance, fc.integer({ min: 0, max: 1e9 }), (failures, random, retryAfter) => {
      const wait = backoff(failures, () => random, retryAfter)
      expect(wait).toBeGreaterThanOrEqual(Math.min(WINDOW, retryAfter))
      expect(wait).toBeLessThanOrEqual(WINDOW)
    })
  )
})

test('the window leaves three of the fifteen seconds that are promised', () => {
  expect(WINDOW).toBeLessThanOrEqual(12_000)
})

test('the first wait is spread over all of the window, or over what the server leaves of it', () => {
  expect([0, 0.5, 1].map(dice => backoff(1, () => dice))).toEqual([0, 6_000, 12_000])
  expect([0, 0.5, 1].map(dice => backoff(1, () => dice, 2_000))).toEqual([2_000, 7_000, 12_000])
})

test('after the first wait each agent keeps its place in the window', () => {
  for (const failures of [2, 3, 10, 1_000]) expect(backoff(failures, Math.random, failures * 500)).toBe(WINDOW)
})
