import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Answer, allOf, anyOf, ask, leaf, no, unsure, type Verdict, yes } from '../../../src/verdicts/verdict.ts'
import { factsOf } from '../node-facts.ts'

const ANSWERS = ['yes', 'no', 'unknown'] as const
const answer = fc.constantFrom<Answer>(...ANSWERS)
const part = fc
  .record({ answer, because: fc.string(), caution: fc.string(), wayOut: fc.string() })
  .map(judged => leaf('part', [], judged))
const parts = fc.array(part, { minLength: 1, maxLength: 8 })
const of = (...found: readonly Answer[]): readonly Verdict[] =>
  found.map((each, index) => leaf(`p${index}`, [], { answer: each, because: `${each} ${index}` }))

const inverse = { yes: 'no', no: 'yes', unknown: 'unknown' } as const
const mirrored = (verdict: Verdict): Verdict => ({ ...verdict, answer: inverse[verdict.answer] })

describe('all of', () => {
  test.each<[readonly Answer[], Answer]>([
    [['yes'], 'yes'],
    [['no'], 'no'],
    [['unknown'], 'unknown'],
    [['yes', 'yes'], 'yes'],
    [['yes', 'no'], 'no'],
    [['yes', 'unknown'], 'unknown'],
    [['unknown', 'no'], 'no'],
    [['no', 'unknown', 'yes'], 'no'],
    [['unknown', 'yes', 'yes'], 'unknown']
  ])('%j is %s', (found, combined) => {
    expect(allOf('x', of(...found)).answer).toBe(combined)
  })

  test('with any no is no, else with any unknown is unknown, and is yes only when every part is', () => {
    fc.assert(
      fc.property(parts, found => {
        const answers = found.map(each => each.answer)
        const expected = answers.includes('no') ? 'no' : answers.includes('unknown') ? 'unknown' : 'yes'
        expect(allOf('x', found).answer).toBe(expected)
      })
    )
  })

  test('does not depend on the order of its parts', () => {
    fc.assert(
      fc.property(
        parts.chain(found => fc.tuple(fc.constant(found), fc.shuffledSubarray([...found], { minLength: found.length }))),
        ([found, shuffled]) => {
          expect(allOf('x', shuffled).answer).toBe(allOf('x', found).answer)
        }
      )
    )
  })

  test('an all-of in it counts as its parts would', () => {
    fc.assert(
      fc.property(parts, parts, (outer, inner) => {
        expect(allOf('x', [...outer, allOf('y', inner)]).answer).toBe(allOf('x', [...outer, ...inner]).answer)
      })
    )
  })

  test('making a part unknown never makes it a yes', () => {
    fc.assert(
      fc.property(parts, fc.nat(), (found, index) => {
        const hidden = found.with(index % found.length, leaf('hidden', [], unsure('unreadable')))
        expect(allOf('x', hidden).answer).not.toBe('yes')
      })
    )
  })

  test('keeps every part, every caution, and every reason that decided', () => {
    fc.assert(
      fc.property(parts, found => {
        const verdict = allOf('x', found)
        expect(verdict.parts).toEqual(found)
        for (const caution of found.flatMap(each => each.cautions)) expect(verdict.cautions).toContain(caution)
        if (verdict.answer === 'yes') {
          expect(verdict.wayOut).toEqual([])
          return
        }
        const deciding = found.filter(each => each.answer === verdict.answer)
        expect(verdict.reasons).toEqual([...new Set(deciding.map(each => each.because))])
        for (const wayOut of found.filter(each => each.answer !== 'yes').flatMap(each => each.wayOut))
          expect(verdict.wayOut).toContain(wayOut)
      })
    )
  })

  test('shows the first reason and the number of the others', () => {
    expect(allOf('x', of('no')).because).toBe('no 0')
    expect(allOf('x', of('no', 'yes', 'no', 'no')).because).toBe('no 0 (and 2 more)')
    expect(allOf('x', of('no', 'no')).reasons).toEqual(['no 0', 'no 1'])
  })
})

describe('any of', () => {
  test('is the mirror image of all-of', () => {
    fc.assert(
      fc.property(parts, found => {
        expect(anyOf('x', found).answer).toBe(inverse[allOf('x', found.map(mirrored)).answer])
      })
    )
  })

  test('with any yes is yes, else with any unknown is unknown, else no', () => {
    fc.assert(
      fc.property(parts, found => {
        const answers = found.map(each => each.answer)
        const expected = answers.includes('yes') ? 'yes' : answers.includes('unknown') ? 'unknown' : 'no'
        expect(anyOf('x', found).answer).toBe(expected)
      })
    )
  })

  test('with unknown parts only is never a yes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<Answer>('no', 'unknown'), { minLength: 1 }),
        found => anyOf('x', of(...found)).answer !== 'yes'
      )
    )
  })

  test('has one reason, which holds all that decided', () => {
    expect(anyOf('x', of('no', 'no')).reasons).toEqual(['no 0; no 1'])
    expect(anyOf('x', of('no', 'unknown', 'unknown')).reasons).toEqual(['unknown 1; unknown 2'])
    expect(anyOf('x', of('no', 'yes', 'yes')).reasons).toEqual(['yes 1'])
  })
})

describe('a part', () => {
  test('of an unknown fact is unknown, with the fact’s reason, and is not judged', () => {
    const verdict = ask(factsOf({}, 'yama'), 'ptrace', 'yama', () => {
      throw new Error('nobody should judge it')
    })
    expect(verdict).toMatchObject({ name: 'ptrace', answer: 'unknown', because: 'nobody could read yama', facts: ['yama'] })
  })

  test('of a known fact is judged by its value, and names the fact', () => {
    const verdict = ask(factsOf({ yama: 3 }), 'ptrace', 'yama', scope => no(`scope ${scope}`, 'Lower it.'))
    expect(verdict).toEqual({
      name: 'ptrace',
      answer: 'no',
      because: 'scope 3',
      reasons: ['scope 3'],
      cautions: [],
      wayOut: ['Lower it.'],
      parts: [],
      facts: ['yama']
    })
  })

  test('that is a yes needs no way out, and may be fragile', () => {
    expect(leaf('x', [], yes('because', 'careful'))).toMatchObject({ answer: 'yes', cautions: ['careful'], wayOut: [] })
    expect(leaf('x', [], { answer: 'yes', because: 'b', wayOut: 'w' }).wayOut).toEqual([])
    expect(leaf('x', [], unsure('because', 'look'))).toMatchObject({ answer: 'unknown', cautions: [], wayOut: ['look'] })
  })
})

describe('a missing value is not a key', () => {
  test('in a judgement', () => {
    expect(yes('b')).toStrictEqual({ answer: 'yes', because: 'b' })
    expect(yes('b', 'c')).toStrictEqual({ answer: 'yes', because: 'b', caution: 'c' })
    expect(no('b')).toStrictEqual({ answer: 'no', because: 'b' })
    expect(no('b', 'w')).toStrictEqual({ answer: 'no', because: 'b', wayOut: 'w' })
    expect(unsure('b')).toStrictEqual({ answer: 'unknown', because: 'b' })
    expect(unsure('b', 'w')).toStrictEqual({ answer: 'unknown', because: 'b', wayOut: 'w' })
  })

  test('and a part without caution or way out has none', () => {
    expect(leaf('x', [], no('b'))).toMatchObject({ cautions: [], wayOut: [] })
  })
})

describe('a yes of several parts', () => {
  const named = (name: string) => leaf(name, [], yes(`${name} is so`))

  test('is summarized by the named parts, in their own order, or else by the number of parts', () => {
    const parts = [named('a'), named('b'), named('c')]
    expect(allOf('x', parts, ['c', 'a']).because).toBe('a is so; c is so')
    expect(allOf('x', parts, ['other']).because).toBe('all 3 conditions are met')
    expect(allOf('x', parts).because).toBe('all 3 conditions are met')
    expect(allOf('x', parts, ['a']).reasons).toEqual(['a is so'])
  })

  test('of alternatives has no ways out of the others', () => {
    expect(anyOf('x', [leaf('a', [], no('b', 'Do it.')), named('c')])).toMatchObject({ answer: 'yes', wayOut: [] })
  })
})

test('a no of several parts has the ways out of the parts that are not a yes, each once, and names no fact itself', () => {
  const lifted = { ...leaf('c', ['yama'], yes('c')), wayOut: ['Nothing.'] }
  const verdict = allOf('x', [leaf('a', ['yama'], no('a', 'Do it.')), leaf('b', ['fuse'], unsure('b', 'Do it.')), lifted])
  expect(verdict).toMatchObject({ answer: 'no', wayOut: ['Do it.'], facts: [] })
})
