import { expect, test } from 'vitest'
import { NO_MEMORY, recollect } from '../../../src/cycle/memory.ts'
import type { FactName } from '../../../src/facts/observe.ts'
import { factsOf, modules, type Values } from '../node-facts.ts'

const PATIENCE = 1_000
const seen = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]) => factsOf(changes, ...unknowns)
const first = recollect(NO_MEMORY, seen(), 0, PATIENCE)

test('what could be read counts, and nothing is recalled', () => {
  expect(first.recalled).toEqual([])
  expect(first.facts.fuse).toEqual(seen().fuse)
})

test('a fact that cannot be read keeps its last value within the patience, and not longer', () => {
  const later = recollect(first.memory, seen({}, 'fuse', 'yama'), 999, PATIENCE)
  expect(later.recalled.toSorted()).toEqual(['fuse', 'yama'])
  expect(later.facts.fuse).toEqual(seen().fuse)
  const late = recollect(later.memory, seen({}, 'fuse', 'yama'), 1_000, PATIENCE)
  expect(late.recalled).toEqual([])
  expect(late.facts.fuse.known).toBe(false)
})

test('the patience begins anew with each time that it could be read', () => {
  const again = recollect(first.memory, seen(), 900, PATIENCE)
  expect(recollect(again.memory, seen({}, 'fuse'), 1_800, PATIENCE).facts.fuse.known).toBe(true)
})

test('a new value counts at once', () => {
  expect(recollect(first.memory, seen({ yama: 3 }), 1, PATIENCE).facts.yama).toMatchObject({ value: 3 })
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

test('a fact of which a part could not be read is as good as unread', () => {
  const parts = { supported: true, modules: modules({ fuse: 'unknown' } as never), shiftfs: null } as never
  const later = recollect(first.memory, seen({ 'kernel-modules': parts }), 1, PATIENCE)
  expect(later.recalled).toEqual(['kernel-modules'])
  // Without a whole one before, the part that was read is better than nothing.
  const alone = recollect(NO_MEMORY, seen({ 'kernel-modules': parts }), 1, PATIENCE)
  expect(alone.facts['kernel-modules']).toMatchObject({ known: true, value: parts })
  expect(alone.recalled).toEqual([])
})

test('no patience recalls nothing', () => {
  expect(recollect(first.memory, seen({}, 'fuse'), 0, 0).facts.fuse.known).toBe(false)
})
