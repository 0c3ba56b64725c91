import { expect, test } from 'vitest'
import { driftOf } from '../../../src/node-sync/drift.ts'

test('drift is what was removed, changed or added with the prefix, and nothing else', () => {
  const right = { 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false', 'berth.dev/machine': 'virtual' }
  const carried = {
    'berth.dev/gpu': 'true',
    'berth.dev/machine': 'virtual',
    'berth.dev/new': 'x',
    'example.com/cvm': 'x',
    'berth.dev.example.com/cvm': 'x',
    'xberth.dev/cvm': 'x',
    'berth.dev': 'x'
  }
  expect(driftOf(right, carried, 'berth.dev')).toEqual([
    { key: 'berth.dev/cvm', kind: 'removed' },
    { key: 'berth.dev/gpu', kind: 'changed' },
    { key: 'berth.dev/new', kind: 'added' }
  ])
  expect(driftOf(right, right, 'berth.dev')).toEqual([])
})
