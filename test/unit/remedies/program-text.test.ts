import { expect, test } from 'vitest'
import { buildTail, lastLine, plainText } from '../../../src/remedies/program-text.ts'

test.each([
  ['\u001b[01m\u001b[Kshiftfs.c:1:1:\u001b[m\u001b[K \u001b[01;31m\u001b[Kerror: \u001b[m\u001b[Kno', 'shiftfs.c:1:1: error: no'],
  ['\u001b]8;;https://gcc.gnu.org\u0007-Wall\u001b]8;;\u0007', '-Wall'],
  ['\u001b]8;;https://gcc.gnu.org\u001b\\-Wall\u001b]8;;\u001b\\', '-Wall'],
  ['a\r\nb\tc\u0000\u0007d', 'a\nb\tcd'],
  ['first\n[not colour]\n]neither', 'first\n[not colour]\n]neither']
])('%j reaches a terminal as %j', (text, plain) => {
  expect(plainText(text)).toBe(plain)
})

test('the last line is one without colours', () => {
  expect(lastLine('a\nrmmod: \u001b[31min use\u001b[m\n\n')).toBe('rmmod: in use')
})

const errors = Array.from({ length: 300 }, (_, index) => `shiftfs.c:${index + 2}:1: error: error number ${index + 2}`)

test("the compiler's first error begins the tail, however many follow", () => {
  const tail = buildTail(['make: Entering', 'shiftfs.c:1:1: error: the cause', ...errors, 'make: *** Error 2'].join('\n'))
  const lines = tail.split('\n')
  expect([lines[0], lines.at(-1), lines.length]).toEqual(['shiftfs.c:1:1: error: the cause', 'make: *** Error 2', 13])
  expect(tail.length).toBeLessThan(2000)
})

test('a tail names no line twice, and is the last lines where there was no error', () => {
  expect(buildTail('a: error: x\nmake: *** Error 2\n')).toBe('a: error: x\nmake: *** Error 2')
  expect(buildTail(Array.from({ length: 20 }, (_, index) => `${index}`).join('\n'))).toMatch(/^8\n9\n.*\n19$/s)
  expect(buildTail('')).toBe('')
})
