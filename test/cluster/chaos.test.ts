import { expect, test } from 'vitest'
import { chaos } from './chaos/run.ts'

/** For longer, and with another seed: `npm run chaos -- SECONDS SEED`. */
test('after a minute of trouble of every kind all labels are right, nothing of others was touched, and no agent has ended', {
  timeout: 420_000
}, async () => {
  expect(await chaos({ seconds: 60, seed: 21, say: console.info })).toEqual([])
})
