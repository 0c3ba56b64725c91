import { describe, expect, test } from 'vitest'
import { recorded, SMALL } from '../../scale/recorded.ts'
import { STORMS, simulate } from '../../scale/storm/storms.ts'

const { storms, small } = recorded()
/** Requests a second that 15,000 agents may cause, and seconds that a storm may outlast its cause. */
const PEAK = 1_500
const CALM = 60
/** A change of the code may raise a peak by a tenth at most; `npm run scale` records the numbers anew. */
const TOLERANCE = 1.1
/** Seconds until all is right after the cause is over. */
const PROMISE = 15

test('15,000 agents stay below what an API server can bear, in every storm', () => {
  expect(Object.keys(storms).sort()).toEqual(Object.keys(STORMS).sort())
  for (const [name, { agents, peak, calmAfter, rightAfter }] of Object.entries(storms)) {
    expect(agents, name).toBe(15_000)
    expect(peak, name).toBeLessThan(PEAK)
    expect(calmAfter, name).toBeLessThanOrEqual(CALM)
    expect(rightAfter, name).toBeLessThanOrEqual(PROMISE)
  }
})

// Fewer agents than were recorded for the document, by the same code, so that it takes a second each.
describe('with the code as it is now', () => {
  test.each(Object.keys(STORMS))('%s', { timeout: 60_000 }, async name => {
    const before = small[name]
    const now = await simulate(STORMS[name] as (typeof STORMS)[string], SMALL)
    console.info(`${name}: ${now.sustained} requests/s in the busiest five seconds, ${before?.sustained} recorded`)
    expect(now.total, 'the storm was one').toBeGreaterThan(SMALL)
    expect(now.sustained).toBeLessThanOrEqual((before?.sustained ?? 0) * TOLERANCE)
    expect(now.rightAfter).toBeLessThanOrEqual(PROMISE)
    expect(now.calmAfter).toBeLessThanOrEqual(CALM)
  })
})
