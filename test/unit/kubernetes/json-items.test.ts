import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonItems } from '../../../src/kubernetes/list/json-items.ts'

/** What is read of a text that comes in pieces of these lengths, again and again. */
function read(text: string, lengths: readonly number[] = [text.length + 1]) {
  const items: unknown[] = []
  const reader = jsonItems(item => items.push(item))
  const bytes = Buffer.from(text)
  // The sender uses its memory again, as sockets do.
  const memory = Buffer.alloc(Math.max(...lengths))
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] as number
    const size = bytes.copy(memory, 0, at, at + length)
    reader.push(memory.subarray(0, size))
    memory.fill(0x7b)
    at += length
  }
  return { items, rest: reader.end() }
}

describe('a list', () => {
  test.each([
    [
      '{"kind":"NodeList","metadata":{"continue":"x"},"items":[{"a":1},{"b":{"c":[1,{"d":2}]}}]}',
      [{ a: 1 }, { b: { c: [1, { d: 2 }] } }]
    ],
    ['{"items":[],"kind":"NodeList","metadata":{"continue":"x"}}', []],
    ['{"items":[{}],"kind":"NodeList","metadata":{"continue":"x"}}', [{}]],
    [
      ' {\n "items" : [ {"a":"}]{["} , {"b":"\\"}\\\\"}\n]\n, "kind":"NodeList","metadata":{"continue":"x"}}\n',
      [{ a: '}]{[' }, { b: '"}\\' }]
    ]
  ])('%j', (text, items) => {
    for (const lengths of [[1], [2], [3, 1], [1000]]) {
      const found = read(text, lengths)
      expect(found.items).toEqual(items)
      expect(found.rest).toEqual({ kind: 'NodeList', metadata: { continue: 'x' }, items: [] })
    }
  })

  test('without items is read, as a server in Go writes one', () => {
    expect(read('{"kind":"NodeList","items":null}')).toEqual({ items: [], rest: { kind: 'NodeList', items: null } })
  })

  test('is read as JSON.parse reads it, whatever is in it and however it comes', () => {
    const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }))
    const list = fc.record({ metadata: object, items: fc.array(object), kind: fc.string() })
    const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 })
    fc.assert(
      fc.property(list, lengths, fc.constantFrom(0, 1), (value, pieces, indent) => {
        const text = JSON.stringify(value, null, indent)
        const { items, rest } = read(text, pieces)
        expect({ ...(rest as object), items }).toEqual(JSON.parse(text))
      }),
      { numRuns: 200 }
    )
  })

  test.each([
    ['', 'nothing'],
    ['<html>', 'no JSON'],
    ['{"items":[{"a":1}', 'no end'],
    ['{"items":[{"a":}]}', 'an item that is no JSON'],
    ['{"items":[{"a":1}]', 'no end of the whole']
  ])('%j is refused: %s', text => {
    expect(() => read(text)).toThrow(SyntaxError)
  })

  test('is not collected without limit, where an item does not end', () => {
    const reader = jsonItems(() => undefined)
    const push = () => {
      for (let mebibyte = 0; mebibyte < 6; mebibyte++)
        reader.push(Buffer.alloc(1024 * 1024, mebibyte === 0 ? '{"items":[{"a":"' : 'a'))
    }
    expect(push).toThrow('a part of the list does not end')
  })
})
