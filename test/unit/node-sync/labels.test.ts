import { describe, expect, test } from 'vitest'
import { labelValue } from '../../../src/facts/label-value.ts'
import type { FactName } from '../../../src/facts/observe.ts'
import { labelPatch, labels } from '../../../src/node-sync/labels.ts'
import { decide } from '../../../src/verdicts/decide.ts'
import { distro, factsOf, IDEAL, kernel, policy, type Values } from '../node-facts.ts'

const labelsOf = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]) => {
  const facts = factsOf(changes, ...unknowns)
  return labels({ facts, verdicts: decide(facts, policy()) }, 'berth.dev')
}
const gpu = (vendor: 'nvidia' | 'amd' | 'intel') => ({ address: '0000:00:1e.0', vendor, driver: '' })

test('the ideal node carries an answer to each question, and the facts that schedulers ask for', () => {
  expect(labelsOf()).toEqual({
    'berth.dev/cvm': 'true',
    'berth.dev/cached-cvm': 'true',
    'berth.dev/gpu': 'true',
    'berth.dev/gpu-cvm': 'true',
    'berth.dev/podman': 'true',
    'berth.dev/sysbox': 'true',
    // Its kernel is older than 6.3, as a kernel with shiftfs is.
    'berth.dev/userns': 'false',
    'berth.dev/kvm': 'true',
    'berth.dev/kernel': '5.15',
    'berth.dev/distro': 'ubuntu-22.04',
    'berth.dev/shiftfs': 'loaded',
    'berth.dev/gpu-hardware': 'nvidia',
    'berth.dev/gpu-driver': '550.135',
    'berth.dev/machine': 'bare-metal'
  })
})

test('a no is false, and an unknown is unknown: neither is missing', () => {
  expect(labelsOf({ yama: 3 })['berth.dev/cvm']).toBe('false')
  expect(labelsOf({}, 'yama')['berth.dev/cvm']).toBe('unknown')
})

describe('the label', () => {
  test.each<[string, string, Partial<Values>, string]>([
    ['kernel', '6.1', { kernel: kernel('6.1.66-gke') }, 'the numbers only'],
    ['distro', 'debian', { distro: distro('debian') }, 'no dash without a version'],
    ['distro', 'talos-v1.8.2', { distro: distro('talos', 'v1.8.2') }, 'id and version'],
    ['distro', 'odd-1-2', { distro: distro('odd', '1/2') }, 'nothing that a label cannot hold'],
    ['shiftfs', 'buildable', { shiftfs: { ...IDEAL.shiftfs, state: 'buildable' } }, 'the state'],
    ['gpu-hardware', 'none', { gpus: [] }, 'no GPU'],
    ['gpu-hardware', 'amd', { gpus: [gpu('intel'), gpu('amd')] }, 'the maker that is worth more'],
    ['gpu-hardware', 'nvidia', { gpus: [gpu('amd'), gpu('intel'), gpu('nvidia')] }, 'NVIDIA before all'],
    ['gpu-hardware', 'intel', { gpus: [gpu('intel')] }, 'Intel alone'],
    ['machine', 'virtual', { machine: { kind: 'virtual', sign: 'KVM' } }, 'the kind']
  ])('%s is %s (%#)', (name, value, changes) => {
    expect(labelsOf(changes)[`berth.dev/${name}`]).toBe(value)
  })

  test.each<[string, FactName, string | undefined]>([
    ['kernel', 'kernel', undefined],
    ['distro', 'distro', undefined],
    ['gpu-driver', 'nvidia-driver', undefined],
    ['shiftfs', 'shiftfs', 'unknown'],
    ['gpu-hardware', 'gpus', 'unknown'],
    ['machine', 'machine', 'unknown']
  ])('%s of an unknown %s is %s', (name, fact, value) => {
    expect(labelsOf({}, fact)[`berth.dev/${name}`]).toBe(value)
  })

  test('gpu-driver is absent without a driver', () => {
    expect(labelsOf({ 'nvidia-driver': 'none' })).not.toHaveProperty(['berth.dev/gpu-driver'])
  })
})

test.each([
  ['5.15.0-116-generic', '5.15.0-116-generic'],
  ['a b', 'a-b'],
  ['a // b', 'a-b'],
  ['v1.2+3', 'v1.2-3'],
  ['Grüße', 'Gr-e'],
  ['a_b.c', 'a_b.c'],
  ['-._a._-', 'a'],
  ['~~a~~', 'a'],
  ['x'.repeat(70), 'x'.repeat(63)],
  [`${'x'.repeat(62)}--y`, 'x'.repeat(62)],
  ['', ''],
  ['---', '']
])('%j as the value of a label is %j', (text, value) => {
  expect(labelValue(text)).toBe(value)
})

test('a patch contains different and retired labels with the prefix, and no key of others', () => {
  const carried = { 'b.dev/same': '1', 'b.dev/other': '1', 'b.dev/retired': '1', 'b.devx/x': '1', 'b.dev': '1', 'a.b.dev/x': '1' }
  const wanted = { 'b.dev/same': '1', 'b.dev/other': '2', 'b.dev/new': '3' }
  expect(labelPatch(wanted, carried, 'b.dev')).toEqual({ 'b.dev/other': '2', 'b.dev/new': '3', 'b.dev/retired': null })
  expect(labelPatch(wanted, wanted, 'b.dev')).toEqual({})
})
