import { setImmediate as breath } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createCollector } from '../../../src/commands/thrift.ts'

/** Something that nobody holds any more. */
async function garbage(): Promise<WeakRef<object>> {
  const reference = new WeakRef({})
  // What a WeakRef was made of stays until the turn of the event loop ends.
  await breath()
  return reference
}

test('it collects when it is first called, and again when a MiB came since', async () => {
  const collect = createCollector()
  const first = await garbage()
  collect()
  expect(first.deref()).toBeUndefined()

  const more = Array.from({ length: 200_000 }, (_, index) => ({ index }))
  const second = await garbage()
  collect()
  expect(second.deref()).toBeUndefined()
  expect(more).toHaveLength(200_000)
})
