import { describe, expect, test } from 'vitest'
import { recorded, SMALL } from '../../scale/recorded.ts'
import { STORMS, simulate } from '../../scale/storm/storms.ts'

const { storms, small } = recorded()
/** Requests a second that 15,000 agents may cause, and seconds that a storm may outlast its cause. */
const PEAK = 1_500
const CALM = 60
/** Seconds until all is right after the cause is over. */
const PROMISE = 15

// 15,000 agents take two minutes and 1.6 GB. A thirtieth of them send the same requests again at the same simulated seconds, whatever
// the machine, and other ones as soon as the code acts otherwise.
describe("the recording is that of today's code", () => {
  test.each(Object.entries(STORMS))('%s', async (name, storm) => {
    const now = await simulate(storm, SMALL)
    expect(now, "npm run scale -- --agents '' records all storms anew, in about three minutes").toEqual(small[name])
  })
})

test('15,000 agents stay below what an API server can bear, in every storm that was recorded', () => {
  expect(Object.keys(storms).sort()).toEqual(Object.keys(STORMS).sort())
  for (const [name, { agents, peak, calmAfter, rightAfter }] of Object.entries(storms)) {
    expect(agents, name).toBe(15_000)
    expect(peak, name).toBeLessThan(PEAK)
    expect(calmAfter, name).toBeLessThanOrEqual(CALM)
    expect(rightAfter, name).toBeLessThanOrEqual(PROMISE)
  }
})
