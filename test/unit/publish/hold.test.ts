import { expect, test } from 'vitest'
import type { Snapshot } from '../../../src/cycle/snapshot.ts'
import type { FactName } from '../../../src/facts/observe.ts'
import { demoted, heldLabels } from '../../../src/publish/hold.ts'
import { labels } from '../../../src/publish/labels.ts'
import { decide } from '../../../src/verdicts/decide.ts'
import { FACTS, factsOf, policy, type Values } from '../node-facts.ts'

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

test('where all could be read, nothing is held', () => {
  const wrong = Object.fromEntries(Object.keys(right).map(key => [key, 'held']))
  expect(heldLabels(snapshotOf(), wrong, 'berth.dev')).toEqual(right)
})

test('a label stands in for a fact that could not be read', () => {
  for (const [name, fact] of [
    ['kernel', 'kernel'],
    ['distro', 'distro'],
    ['machine', 'machine'],
    ['gpu-hardware', 'gpus'],
    ['gpu-driver', 'nvidia-driver']
  ] as const) {
    const key = `berth.dev/${name}`
    expect(heldLabels(snapshotOf({}, fact), right, 'berth.dev')[key], name).toBe(right[key])
    expect(heldLabels(snapshotOf({}, fact), {}, 'berth.dev')[key], name).toBe(labels(snapshotOf({}, fact), 'berth.dev')[key])
  }
})

test('a verdict is held where only unreadable facts make it unknown', () => {
  expect(right['berth.dev/cvm']).toBe('true')
  const unread = FACTS.map(fact => snapshotOf({}, fact)).filter(
    snapshot => labels(snapshot, 'berth.dev')['berth.dev/cvm'] === 'unknown'
  )
  expect(unread.length).toBeGreaterThan(3)
  for (const snapshot of unread) {
    const name = FACTS.filter(fact => !snapshot.facts[fact].known).join(', ')
    expect(heldLabels(snapshot, right, 'berth.dev')['berth.dev/cvm'], name).toBe('true')
  }
})

test('what was read and says no is never overruled', () => {
  const changed = snapshotOf({ fuse: { registered: false, device: undefined } } as Partial<Values>, 'namespace-limits')
  const now = labels(changed, 'berth.dev')
  const held = heldLabels(changed, right, 'berth.dev')
  const refused = Object.keys(now).filter(key => now[key] === 'false')
  expect(refused).toContain('berth.dev/sysbox')
  for (const key of refused) expect([key, right[key], held[key]]).toEqual([key, 'true', 'false'])
})

test('an unknown label, a foreign one and a retired one are not held', () => {
  const carried = { 'berth.dev/kernel': 'unknown', 'example.com/kernel': '5.15', 'berth.dev/old': 'true' }
  const held = heldLabels(snapshotOf({}, 'kernel'), carried, 'berth.dev')
  expect(held).toEqual(labels(snapshotOf({}, 'kernel'), 'berth.dev'))
})

test('demoted: only what is true becomes unknown, and only below the prefix', () => {
  const carried = { 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false', 'berth.dev/kernel': '5.15', 'example.com/x': 'true' }
  expect(demoted(carried, 'berth.dev')).toEqual({
    'berth.dev/cvm': 'unknown',
    'berth.dev/gpu': 'false',
    'berth.dev/kernel': '5.15'
  })
})

test('a verdict that is unknown for what was read is not held', () => {
  // Linux 5.4 was read, and tells no more than "maybe".
  const maybe = snapshotOf({ kernel: { release: '5.4.0', major: 5, minor: 4 } })
  expect(labels(maybe, 'berth.dev')['berth.dev/cvm']).toBe('unknown')
  expect(heldLabels(maybe, right, 'berth.dev')['berth.dev/cvm']).toBe('unknown')
})

test('a verdict that is unknown for both is not held', () => {
  const maybe = snapshotOf({ kernel: { release: '5.4.0', major: 5, minor: 4 } }, 'yama')
  expect(heldLabels(maybe, right, 'berth.dev')['berth.dev/cvm']).toBe('unknown')
})

test('an answer is held whatever it was, and a word that is no answer as well', () => {
  const unread = snapshotOf({}, 'yama')
  for (const value of ['true', 'false']) {
    expect(heldLabels(unread, { 'berth.dev/cvm': value }, 'berth.dev')['berth.dev/cvm']).toBe(value)
  }
})

test('a label below another prefix of the same length holds nothing', () => {
  const unread = snapshotOf({}, 'kernel')
  expect(heldLabels(unread, { 'other.dev/kernel': '5.15', 'berth.devx/kernel': '5.15' }, 'berth.dev')).toEqual(
    labels(unread, 'berth.dev')
  )
})
