import { expect, test } from 'vitest'
import { isAtLeast } from '../../support/obstacles.ts'
import { duration, type Part, PreparationError, prepare } from '../../support/prepare.ts'

/** A part that takes three minutes, by a clock of its own. */
function played(does: string, { ready = false, failure = '' } = {}) {
  const made: string[] = []
  const part = (clock: { now: number }): Part => ({
    does,
    isReady: async () => ready,
    make: async say => {
      made.push(does)
      clock.now += 120_000
      say('12 of at most 20 packages are compiled')
      clock.now += 60_000
      if (failure !== '') throw new Error(failure)
    },
    wayOut: 'ask the mirror'
  })
  return { part, made }
}

async function run(...all: readonly ReturnType<typeof played>[]) {
  const clock = { now: 0 }
  const lines: string[] = []
  const parts = all.map(({ part }) => part(clock))
  const error = await prepare(parts, { print: line => void lines.push(line), elapsed: () => clock.now }).catch(error => error)
  return { lines: lines.slice(1), error, made: all.flatMap(({ made }) => made) }
}

test('each part says which of how many it is, how far it is and how long it took', async () => {
  const { lines, made } = await run(played('building runc', { ready: true }), played('building kubelet'))
  expect(lines).toEqual([
    '1 of 2: building runc: ready',
    '2 of 2: building kubelet ...',
    '   12 of at most 20 packages are compiled (2 min 0 s)',
    '   done (3 min 0 s)',
    'Everything is prepared (3 min 0 s)'
  ])
  expect(made).toEqual(['building kubelet'])
})

test('a part that fails names itself, the reason and the way out, and nothing after it is made', async () => {
  const { error, made } = await run(played('building runc', { failure: 'seccomp.h is missing' }), played('building kubelet'))
  expect(error).toBeInstanceOf(PreparationError)
  expect(error.message).toBe('Part 1 of 2: building runc failed: seccomp.h is missing\nWay out: ask the mirror.')
  expect(made).toEqual(['building runc'])
})

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [59_600, '1 min 0 s'],
  [2_405_000, '40 min 5 s']
])('%i ms are %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text)
})

test.each([
  ['1.26.7', '1.26.7', true],
  ['1.26.10', '1.26.7', true],
  ['1.27rc1', '1.26.7', true],
  ['2.0', '1.26.7', true],
  ['1.26.6', '1.26.7', false],
  ['1.26', '1.26.7', false],
  ['1.9.9', '1.26.7', false],
  ['devel', '1.26.7', false]
])('Go %s is at least %s: %s', (found, needed, answer) => {
  expect(isAtLeast(found, needed)).toBe(answer)
})
