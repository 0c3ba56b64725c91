import { expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import { withRetries } from '../../../src/kubernetes/retry.ts'

const busy = (retryAfter = 0) => new ApiError('too busy', { status: 429, transient: true, retryAfter })

/** Fails with each of the errors in turn, then succeeds; also returns the waits before each new attempt. */
async function attempts(errors: readonly Error[], chance = 1) {
  const slept: number[] = []
  const left = [...errors]
  const waiting = { sleep: async (milliseconds: number) => void slept.push(milliseconds), random: () => chance }
  const outcome = await withRetries(async () => {
    const error = left.shift()
    if (error !== undefined) throw error
    return 'done'
  }, waiting).catch((error: unknown) => error)
  return { outcome, slept, unused: left.length }
}

test.for([
  ['nothing fails', [], 1, []],
  ['waits twice as long each time', [busy(), busy(), busy()], 1, [500, 1000, 2000]],
  ['jitter is full: the wait may be anything below that', [busy(), busy()], 0, [0, 0]],
  ['Retry-After is added to the jitter', [busy(2)], 0.5, [2250]]
] as const)('%s', async ([, errors, chance, waits]) => {
  expect(await attempts(errors, chance)).toEqual({ outcome: 'done', slept: waits, unused: 0 })
})

test('gives up after three retries and says so', async () => {
  const { outcome, slept, unused } = await attempts([busy(), busy(), busy(), busy(), busy()])
  expect(outcome).toMatchObject({ message: 'too busy (tried 4 times)', status: 429, transient: true })
  expect({ slept, unused }).toEqual({ slept: [500, 1000, 2000], unused: 1 })
})

test('does not wait for longer than half a minute', async () => {
  expect(await attempts([busy(31)])).toMatchObject({ outcome: { message: 'too busy' }, slept: [] })
})

test.for([
  ['a failure that is not transient', new ApiError('forbidden', { status: 403 })],
  ['a bug', new TypeError('x is undefined')]
] as const)('does not retry %s', async ([, error]) => {
  expect(await attempts([error])).toEqual({ outcome: error, slept: [], unused: 0 })
})
