import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, suggest } from '../../../src/cli/suggest.ts'

describe('a suggestion', () => {
  const NAMES = ['run', 'report', 'record', 'fleet']

  test.each([
    ['reprot', 'report'],
    ['reports', 'report'],
    ['recrod', 'record'],
    ['rnu', undefined],
    ['rn', 'run'],
    ['fle', undefined],
    ['abc', undefined],
    ['x', undefined],
    ['', undefined]
  ])('for %j is %j', (misspelt, meant) => {
    expect(suggest(misspelt, NAMES)).toBe(meant)
  })

  test('is absent where there are no names', () => {
    expect(suggest('report', [])).toBeUndefined()
  })
})

describe('the edit distance', () => {
  test.each([
    ['', '', 0],
    ['', 'run', 3],
    ['run', '', 3],
    ['kitten', 'sitting', 3],
    ['reprot', 'report', 2],
    ['format', 'formt', 1]
  ])('from %j to %j is %i', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance)
  })

  test('is the same in both directions, zero for equal texts only, and never more than the longer text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (from, to) => {
        const distance = editDistance(from, to)
        expect(editDistance(to, from)).toBe(distance)
        expect(distance === 0).toBe(from === to)
        expect(distance).toBeLessThanOrEqual(Math.max(from.length, to.length))
      })
    )
  })
})
