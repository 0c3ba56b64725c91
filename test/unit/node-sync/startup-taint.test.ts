import { expect, test } from 'vitest'
import { taintRemoval } from '../../../src/node-sync/startup-taint.ts'

const other = { key: 'example.com/other', effect: 'NoExecute', value: 'x' }
const mine = { key: 'start', effect: 'NoSchedule' }

test('without the taint there is nothing to do', () => {
  expect(taintRemoval([], 'start')).toBeUndefined()
  expect(taintRemoval([other, { key: 'start-2', effect: 'NoSchedule' }], 'start')).toBeUndefined()
})

test('the whole taint is tested before it is removed, and no other index is in the patch', () => {
  expect(taintRemoval([other, mine, other], 'start')).toEqual([
    { op: 'test', path: '/spec/taints/1', value: mine },
    { op: 'remove', path: '/spec/taints/1' }
  ])
})

test('a key that appears twice is removed from the end, so that indices stay valid', () => {
  const twice = [mine, other, { ...mine, effect: 'NoExecute' }]
  expect(taintRemoval(twice, 'start')?.map(({ op, path }) => `${op} ${path}`)).toEqual([
    'test /spec/taints/2',
    'remove /spec/taints/2',
    'test /spec/taints/0',
    'remove /spec/taints/0'
  ])
})
