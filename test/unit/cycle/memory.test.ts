import { describe, expect, test } from 'vitest'
import { NO_MEMORY, recollect } from '../../../src/cycle/memory.ts'
import type { FactName } from '../../../src/facts/observe.ts'
import { factsOf, IDEAL, modules, type Values } from '../node-facts.ts'

const PATIENCE = 1_000
const seen = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]) => factsOf(changes, ...unknowns)
const first = recollect(NO_MEMORY, seen(), 0, PATIENCE)

test('values that could be read count, and nothing is recalled', () => {
  expect(first.recalled).toEqual([])
  expect(first.facts.fuse).toEqual(seen().fuse)
})

test('an unreadable fact keeps its last value for the configured time, and not longer', () => {
  const later = recollect(first.memory, seen({}, 'fuse', 'yama'), 999, PATIENCE)
  expect(later.recalled.toSorted()).toEqual(['fuse', 'yama'])
  expect(later.facts.fuse).toEqual(seen().fuse)
  const late = recollect(later.memory, seen({}, 'fuse', 'yama'), 1_000, PATIENCE)
  expect(late.recalled).toEqual([])
  expect(late.facts.fuse.known).toBe(false)
})

test('the time starts again whenever the fact could be read', () => {
  const again = recollect(first.memory, seen(), 900, PATIENCE)
  expect(recollect(again.memory, seen({}, 'fuse'), 1_800, PATIENCE).facts.fuse.known).toBe(true)
})

test('a new value counts at once', () => {
  expect(recollect(first.memory, seen({ yama: 3 }), 1, PATIENCE).facts.yama).toMatchObject({ value: 3 })
})

test('a fact that was not requested is not recalled once its value is missing', () => {
  const asked = recollect(NO_MEMORY, seen({ 'resource-slices': { asked: true, devices: 2, tainted: 0 } }), 0, PATIENCE)
  expect(recollect(asked.memory, seen({}, 'resource-slices'), 1, PATIENCE).facts['resource-slices'].known).toBe(true)
  const not = recollect(asked.memory, seen({ 'resource-slices': { asked: false } }), 1, PATIENCE)
  expect(not.facts['resource-slices']).toMatchObject({ value: { asked: false } })
  expect(recollect(not.memory, seen({}, 'resource-slices'), 2, PATIENCE).facts['resource-slices'].known).toBe(false)
})

test('a new boot forgets everything', () => {
  const rebooted = recollect(first.memory, seen({ 'boot-id': 'another' }, 'fuse'), 1, PATIENCE)
  expect(rebooted.facts.fuse.known).toBe(false)
  expect(rebooted.recalled).toEqual([])
  expect(rebooted.memory.bootId).toBe('another')
})

test('a boot id that cannot be read is no new boot', () => {
  const later = recollect(first.memory, seen({}, 'boot-id', 'fuse'), 1, PATIENCE)
  expect(later.facts.fuse.known).toBe(true)
  expect(later.memory.bootId).toBe(first.memory.bootId)
})

describe('of a fact whose parts fail apart from each other', () => {
  const parts = (changes: Parameters<typeof modules>[0]) => ({
    'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules(changes) }
  })
  const value = ({ facts }: ReturnType<typeof recollect>) => facts['kernel-modules'].known && facts['kernel-modules'].value

  test('a part that cannot be read is recalled', () => {
    const later = recollect(first.memory, seen(parts({ fuse: 'unknown' })), 1, PATIENCE)
    expect(later.recalled).toEqual(['kernel-modules'])
    expect(value(later)).toMatchObject({ modules: { fuse: { state: 'present' }, veth: { state: 'present' } } })
  })

  test('what was read counts at once, although another part is recalled', () => {
    const later = recollect(first.memory, seen(parts({ fuse: 'unknown', veth: 'absent' })), 1, PATIENCE)
    expect(value(later)).toMatchObject({ modules: { fuse: { state: 'present' }, veth: { state: 'absent' } } })
    // And stays so in the next look, of which nothing can be read.
    const blind = recollect(later.memory, seen({}, 'kernel-modules'), 2, PATIENCE)
    expect(value(blind)).toMatchObject({ modules: { fuse: { state: 'present' }, veth: { state: 'absent' } } })
  })

  test('a part is recalled for the configured time after all parts were read', () => {
    const later = recollect(first.memory, seen(parts({ fuse: 'unknown' })), 999, PATIENCE)
    const late = recollect(later.memory, seen(parts({ fuse: 'unknown' })), 1_000, PATIENCE)
    expect(value(late)).toMatchObject({ modules: { fuse: { state: 'unknown' }, veth: { state: 'present' } } })
    expect(late.recalled).toEqual([])
  })

  test('without an earlier complete value, the parts that were read are kept', () => {
    const alone = recollect(NO_MEMORY, seen(parts({ fuse: 'unknown' })), 1, PATIENCE)
    expect(value(alone)).toMatchObject({ modules: { fuse: { state: 'unknown' } } })
    expect(alone.recalled).toEqual([])
  })

  test('a failed attempt is an unread part, and an attempt with the value no is not', () => {
    const { sysbox } = IDEAL
    const now = { ...sysbox, manager: { ok: false, why: 'hidden' }, fs: { ok: true, value: 'dead' } } as const
    const { facts } = recollect(first.memory, seen({ sysbox: now }), 1, PATIENCE)
    expect(facts.sysbox).toMatchObject({ value: { manager: sysbox.manager, fs: { ok: true, value: 'dead' } } })
  })
})

test('a label state=unknown of the Node is an ordinary value, and its earlier value is not recalled', () => {
  const labelled = (state: string) => seen({ node: { ...IDEAL.node, labels: { state } } })
  const { memory } = recollect(NO_MEMORY, labelled('ready'), 0, PATIENCE)
  const { facts, recalled } = recollect(memory, labelled('unknown'), 1, PATIENCE)
  expect(facts.node).toMatchObject({ value: { labels: { state: 'unknown' } } })
  expect(recalled).toEqual([])
})

test('with a time of zero nothing is recalled', () => {
  expect(recollect(first.memory, seen({}, 'fuse'), 0, 0).facts.fuse.known).toBe(false)
})
