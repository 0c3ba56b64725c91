import type { HostReader } from '../../../src/host/host.ts'

/** A host that fails the test on any question that it was not given an answer to. */
export const pretendHost = (answers: Partial<HostReader>): HostReader => ({
  read: unasked('read'),
  lines: unasked('lines'),
  list: unasked('list'),
  stat: unasked('stat'),
  realpath: unasked('realpath'),
  statfs: unasked('statfs'),
  run: unasked('run'),
  arch: unasked('arch'),
  inventory: unasked('inventory'),
  ...answers
})

const unasked = (verb: string) => async (subject?: unknown) => {
  throw new Error(`nobody should ask: ${verb} ${subject}`)
}
