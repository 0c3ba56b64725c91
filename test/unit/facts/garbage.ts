import fc from 'fast-check'
import { expect } from 'vitest'
import { Unsure } from '../../../src/facts/fact.ts'
import { HostError } from '../../../src/host/host.ts'

fc.configureGlobal({ numRuns: 500 })

/** Any characters, control characters and halves of a pair too. */
const characters = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.oneof(fc.nat(0xff), fc.nat(0xffff)), { maxLength }).map(codes => String.fromCharCode(...codes))

const bytes = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array).toString('utf8'))

/** A text that was cut, doubled, or has some of its characters exchanged. */
const damaged = (sample: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.nat(sample.length).map(end => sample.slice(0, end)),
    fc.nat(sample.length).map(begin => sample.slice(begin)),
    fc
      .tuple(fc.nat(sample.length), fc.nat(5), characters(5))
      .map(([at, length, other]) => sample.slice(0, at) + other + sample.slice(at + length)),
    fc.constant(sample + sample)
  )

/** Arbitrary bytes as text, arbitrary characters, pieces of the samples, and the samples damaged. */
export const garbage = (...samples: readonly string[]): fc.Arbitrary<string> => {
  const pieces = samples.flatMap(sample => sample.split(/\b/))
  return fc.oneof(
    bytes,
    characters(200),
    fc.array(fc.constantFrom(...pieces, '\n', ' ', '\t', '='), { maxLength: 40 }).map(parts => parts.join('')),
    ...samples.map(damaged)
  )
}

/** What a parser makes of a text: its value, or `refused` when it says that it is not sure. Every other error is a bug. */
export function outcome<T>(parse: () => T): { readonly value: T } | 'refused' {
  try {
    return { value: parse() }
  } catch (error) {
    if (error instanceof Unsure || error instanceof HostError) return 'refused'
    throw error
  }
}

/** The value, or `undefined` where the parser refused. */
export function accepted<T>(parse: () => T): T | undefined {
  const found = outcome(parse)
  return found === 'refused' ? undefined : found.value
}

/** Checks whatever a parser makes of such texts. Fails when it makes nothing of any of them: nothing would have been checked. */
export function everyParsed<I, T>(texts: fc.Arbitrary<I>, parse: (text: I) => T | undefined, check: (value: T, text: I) => void) {
  let parsed = 0
  fc.assert(
    fc.property(texts, text => {
      const value = parse(text)
      if (value === undefined) return
      parsed += 1
      check(value, text)
    })
  )
  expect(parsed, 'texts of which something was made').toBeGreaterThan(0)
}

/**
 * 1 MB made of one piece, after a beginning that a parser takes and before an end that it does not. It takes a parser milliseconds, but
 * one that needs quadratic time longer than a test may take (with 100 kB it would need 20 s, and nobody would notice).
 */
export const endless = (piece: string, before = '', after = ''): string => before + piece.repeat(1_000_000 / piece.length) + after
