import { expect, test } from 'vitest'
import type { Snapshot } from '../../../src/cycle/snapshot.ts'
import type { FactName } from '../../../src/facts/observe.ts'
import { demoted, heldLabels, provenBy } from '../../../src/node-sync/held-labels.ts'
import { labels } from '../../../src/node-sync/labels.ts'
import { reportAnnotation } from '../../../src/node-sync/report.ts'
import { decide } from '../../../src/verdicts/decide.ts'
import { FACTS, factsOf, IDEAL, policy, type Values } from '../node-facts.ts'

const snapshotOf = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]): Snapshot => {
  const facts = factsOf(changes, ...unknowns)
  return {
    at: '',
    facts,
    verdicts: decide(facts, policy()),
    plan: [],
    outcomes: [],
    durations: {},
    memory: { bootId: '', kept: {} },
    recalled: []
  }
}

const right = labels(snapshotOf(), 'berth.dev')
/** The same as the report tells it. */
const proven = provenBy(reportAnnotation(snapshotOf(), '0')).labels

test('the report contains all values of the labels, and the boot', () => {
  expect(Object.fromEntries(Object.entries(proven).map(([name, value]) => [`berth.dev/${name}`, value]))).toEqual(right)
  expect(provenBy(reportAnnotation(snapshotOf(), '0')).boot).toBe(IDEAL['boot-id'])
  expect(provenBy(reportAnnotation(snapshotOf({}, 'kernel', 'boot-id'), '0'))).toMatchObject({
    boot: '',
    labels: { cvm: 'unknown' }
  })
})

test.each([undefined, '', 'null', '[]', '"x"', '{"boot":1}', '{"boot":"b"', '{"verdicts":{"cvm":{"answer":"yes"}}}'])(
  'a report that is %j proves nothing',
  report => {
    expect(provenBy(report)).toEqual({ boot: '', labels: {} })
  }
)

test('nested lists in a report do not invalidate its other parts', () => {
  const nested = `${'['.repeat(6_000)}${']'.repeat(6_000)}`
  const report = `{"boot":"b","ways":${nested},"verdicts":{"cvm":{"answer":${nested}},"gpu":${nested}},"facts":{"kernel":${nested}}}`
  expect(provenBy(report)).toEqual({ boot: 'b', labels: { cvm: 'unknown', gpu: 'unknown' } })
})

test('only answers and valid label values of a report count', () => {
  const report = {
    boot: 'b',
    facts: { kernel: '5.15', distro: 1, machine: 'no label', 'gpu-driver': '' },
    verdicts: { cvm: { answer: 'yes' }, gpu: { answer: 'no' }, podman: { answer: 'true' }, sysbox: 'yes' }
  }
  expect(provenBy(JSON.stringify(report)).labels).toEqual({
    ...{ kernel: '5.15', cvm: 'true', gpu: 'false', podman: 'unknown', sysbox: 'unknown' }
  })
})

test('nothing is held if all facts could be read', () => {
  const wrong = Object.fromEntries(Object.keys(proven).map(name => [name, 'held']))
  expect(heldLabels(snapshotOf(), wrong, 'berth.dev')).toEqual(right)
})

test('a label replaces a fact that could not be read', () => {
  for (const [name, fact] of [
    ['kernel', 'kernel'],
    ['distro', 'distro'],
    ['machine', 'machine'],
    ['gpu-hardware', 'gpus'],
    ['gpu-driver', 'nvidia-driver']
  ] as const) {
    const key = `berth.dev/${name}`
    expect(heldLabels(snapshotOf({}, fact), proven, 'berth.dev')[key], name).toBe(right[key])
    expect(heldLabels(snapshotOf({}, fact), {}, 'berth.dev')[key], name).toBe(labels(snapshotOf({}, fact), 'berth.dev')[key])
  }
})

test('a verdict is held if only unreadable facts make it unknown', () => {
  expect(right['berth.dev/cvm']).toBe('true')
  const unread = FACTS.map(fact => snapshotOf({}, fact)).filter(
    snapshot => labels(snapshot, 'berth.dev')['berth.dev/cvm'] === 'unknown'
  )
  expect(unread.length).toBeGreaterThan(3)
  for (const snapshot of unread) {
    const name = FACTS.filter(fact => !snapshot.facts[fact].known).join(', ')
    expect(heldLabels(snapshot, proven, 'berth.dev')['berth.dev/cvm'], name).toBe('true')
  }
})

test('a no that was read is never overruled', () => {
  const changed = snapshotOf({ fuse: { registered: false, device: undefined } } as Partial<Values>, 'namespace-limits')
  const now = labels(changed, 'berth.dev')
  const held = heldLabels(changed, proven, 'berth.dev')
  const refused = Object.keys(now).filter(key => now[key] === 'false' && right[key] === 'true')
  expect(refused).toContain('berth.dev/sysbox')
  for (const key of refused) expect([key, held[key]]).toEqual([key, 'false'])
})

test('an unknown label and a retired one are not held', () => {
  const carried = { kernel: 'unknown', old: 'true', constructor: 'true' }
  const held = heldLabels(snapshotOf({}, 'kernel'), carried, 'berth.dev')
  expect(held).toEqual(labels(snapshotOf({}, 'kernel'), 'berth.dev'))
})

test('demoted: only true becomes unknown, and only with the prefix', () => {
  const carried = { 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false', 'berth.dev/kernel': '5.15', 'example.com/x': 'true' }
  expect(demoted(carried, 'berth.dev')).toEqual({
    'berth.dev/cvm': 'unknown',
    'berth.dev/gpu': 'false',
    'berth.dev/kernel': '5.15'
  })
})

test('a verdict that is unknown because of values that were read is not held', () => {
  // Linux 5.4 was read, and tells no more than "maybe".
  const maybe = snapshotOf({ kernel: { release: '5.4.0', major: 5, minor: 4 } })
  expect(labels(maybe, 'berth.dev')['berth.dev/cvm']).toBe('unknown')
  expect(heldLabels(maybe, proven, 'berth.dev')['berth.dev/cvm']).toBe('unknown')
})

test('a verdict that is unknown for both is not held', () => {
  const maybe = snapshotOf({ kernel: { release: '5.4.0', major: 5, minor: 4 } }, 'yama')
  expect(heldLabels(maybe, proven, 'berth.dev')['berth.dev/cvm']).toBe('unknown')
})

test('an answer is held whatever it was', () => {
  const unread = snapshotOf({}, 'yama')
  for (const value of ['true', 'false']) {
    expect(heldLabels(unread, { cvm: value }, 'berth.dev')['berth.dev/cvm']).toBe(value)
  }
})
