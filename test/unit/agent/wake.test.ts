import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWake, type Need } from '../../../src/agent/wake.ts'

const never = new AbortController().signal

test('an earlier request is returned at once, and once', async () => {
  const wake = createWake()
  wake.want('observe')
  wake.want('reconcile')
  wake.want('observe')
  expect([...(await wake.next(60_000, never))].toSorted()).toEqual(['observe', 'reconcile'])
  expect((await wake.next(1, never)).size).toBe(0)
})

test('a request during the wait ends it', async () => {
  const wake = createWake()
  const next = wake.next(60_000, never)
  wake.want('reconcile')
  expect([...(await next)]).toEqual(['reconcile'])
})

test('the signal ends the wait, before and during it, and a request is still returned', async () => {
  const wake = createWake()
  const ending = new AbortController()
  const next = wake.next(60_000, ending.signal)
  ending.abort()
  expect((await next).size).toBe(0)
  wake.want('observe')
  expect([...(await wake.next(60_000, ending.signal))]).toEqual(['observe'])
  expect((await wake.next(60_000, ending.signal)).size).toBe(0)
})

test('no request is lost, whenever it is made', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom<Need>('observe', 'reconcile'), fc.boolean()), { maxLength: 20 }),
      async wishes => {
        const wake = createWake()
        const told: Need[] = []
        for (const [need, waits] of wishes) {
          const next = waits ? wake.next(60_000, never) : undefined
          wake.want(need)
          if (next !== undefined) told.push(...(await next))
          else wake.want(need)
        }
        told.push(...(await wake.next(1, never)))
        for (const need of ['observe', 'reconcile'] as const) {
          expect(told.includes(need)).toBe(wishes.some(([one]) => one === need))
        }
      }
    ),
    { numRuns: 50 }
  )
})
