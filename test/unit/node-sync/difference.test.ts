import { expect, test } from 'vitest'
import { differences, keysOf, restrict } from '../../../src/node-sync/difference.ts'

const desiredState = {
  prefix: 'berth.dev',
  labels: { 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false' },
  annotation: { key: 'berth.dev/report', value: '{}' }
}

test('labels that are right are not written', () => {
  const carried = { labels: { ...desiredState.labels, 'example.com/x': 'y' }, annotations: { 'berth.dev/report': '{}' } }
  expect(keysOf(differences(desiredState, carried))).toEqual([])
})

test('missing, different and retired labels are written, and no key of others', () => {
  const carried = { labels: { 'berth.dev/cvm': 'false', 'berth.dev/old': 'x', 'berth.dev.example.com/x': 'y' }, annotations: {} }
  expect(differences(desiredState, carried)).toEqual({
    labels: { 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false', 'berth.dev/old': null },
    annotations: { 'berth.dev/report': '{}' }
  })
})

test('a restricted difference contains the wanted keys only', () => {
  const whole = { labels: { a: 'x', b: null }, annotations: { c: 'y' } }
  expect(restrict(whole, key => key !== 'a')).toEqual({ labels: { b: null }, annotations: { c: 'y' } })
  expect(restrict(whole, () => false)).toEqual({ labels: {}, annotations: {} })
  expect(keysOf(whole)).toEqual(['a', 'b', 'c'])
})
