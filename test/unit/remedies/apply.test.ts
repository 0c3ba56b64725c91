import { describe, expect, test } from 'vitest'
import { judge } from '../../../src/remedies/apply.ts'
import type { Deed } from '../../../src/remedies/deed.ts'
import type { Outcome } from '../../../src/remedies/outcome.ts'
import { createRests } from '../../../src/remedies/pause-after-failure.ts'
import type { PlanStep } from '../../../src/remedies/plan.ts'

const step: PlanStep = { remedy: 'shiftfs', decision: 'apply', because: 'load the module shiftfs' }
const deed: Deed = { failure: undefined, did: 'loaded shiftfs', persistent: false, tail: '' }
const now = new Date('2026-11-03T10:00:00Z')

describe('the outcome follows from the next observation', () => {
  test.each<readonly [string, Deed, PlanStep['decision'], Outcome['result'], string]>([
    ['said and seen', deed, 'not-needed', 'applied', 'loaded shiftfs (persistent: no)'],
    ['kept', { ...deed, persistent: true }, 'not-needed', 'applied', 'loaded shiftfs (persistent)'],
    ['said and not seen', deed, 'apply', 'ineffective', 'loaded shiftfs, but still: why'],
    ['a failure, although all is well', { ...deed, failure: 'no' }, 'not-needed', 'failed', 'no'],
    ['a failure', { ...deed, failure: 'no', tail: 'make: 1' }, 'apply', 'failed', 'no']
  ])('%s', (_, done, decision, result, because) => {
    const outcome = judge(step, done, { ...step, decision, because: 'why' }, now)
    expect(outcome).toEqual({ remedy: 'shiftfs', result, because, at: '2026-11-03T10:00:00.000Z', tail: done.tail })
  })
})

describe('a remedy that failed waits', () => {
  const outcome = (result: Outcome['result'], at: number): Outcome => ({
    ...{ remedy: 'shiftfs', result, because: 'x', tail: '' },
    at: at < 0 ? '' : new Date(at).toISOString()
  })
  const MINUTE = 60_000

  test('twice as long after each failure in a row, and not for ever', () => {
    const time = { now: 0 }
    const rests = createRests(() => new Date(time.now))
    const pauses: number[] = []
    for (let failure = 0; failure < 9; failure += 1) {
      rests.record([outcome('failed', time.now)])
      const from = time.now
      while (rests.rest('shiftfs') !== undefined) time.now += 1_000
      pauses.push((time.now - from) / MINUTE)
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  test('a success ends the wait, another remedy does not wait, and a clock that was set back does not hold', () => {
    const time = { now: 10 * MINUTE }
    const rests = createRests(() => new Date(time.now))
    rests.record([outcome('ineffective', time.now)])
    expect(rests.rest('shiftfs')).toMatchObject({ result: 'ineffective' })
    expect(rests.rest('user-namespaces')).toBeUndefined()
    time.now = 0
    expect(rests.rest('shiftfs')).toBeUndefined()
    time.now = 10 * MINUTE + 1
    rests.record([outcome('applied', time.now)])
    expect(rests.rest('shiftfs')).toBeUndefined()
  })

  test('each try is recorded once, and an applied remedy stays reported', () => {
    const rests = createRests(() => new Date(0))
    expect(rests.record([outcome('applied', 5), outcome('not-needed', -1)])).toHaveLength(1)
    expect(rests.record([outcome('applied', 5)])).toHaveLength(0)
    expect(rests.report([outcome('not-needed', -1)])).toEqual([outcome('applied', 5)])
    expect(rests.report([outcome('forbidden', -1)])).toEqual([outcome('forbidden', -1)])
  })
})
