import { describe, expect, test } from 'vitest'
import { untried } from '../../../src/facts/proofs.ts'
import { factText } from '../../../src/report/fact-text.ts'
import { factsOf, proofs, type Values } from '../node-facts.ts'

test.each<[Values['resource-slices'], string]>([
  [{ asked: false }, 'not read'],
  [{ asked: true, devices: 8, tainted: 0 }, '8 devices'],
  [{ asked: true, devices: 8, tainted: 3 }, '8 devices, 3 of them tainted']
])('ResourceSlices in a line: %j', (value, text) => {
  expect(factText('resource-slices', factsOf({ 'resource-slices': value }))).toBe(text)
})

describe('the proofs in a line', () => {
  test.each<[Values['proofs'], string]>([
    [untried('no privileged helper runs on this node'), 'none: no privileged helper runs on this node'],
    [
      proofs({ 'id-mapped-mount': 'works', 'overlay-on-id-mapped': 'works', procfs: 'fails' }),
      'works: id-mapped-mount, overlay-on-id-mapped; fails: procfs; untried: shiftfs-on-disk, shiftfs-on-overlay'
    ],
    [
      { ...untried('shiftfs is not loaded'), procfs: { outcome: 'untried', because: 'another reason' } },
      'untried: id-mapped-mount, overlay-on-id-mapped, shiftfs-on-disk, shiftfs-on-overlay, procfs'
    ]
  ])('%#', (value, text) => {
    expect(factText('proofs', factsOf({ proofs: value }))).toBe(text)
  })
})
