import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { HostWriter } from '../../../src/host/writer.ts'
import { shiftfs } from '../../../src/remedies/shiftfs/apply.ts'
import { temporary } from '../host/temporary.ts'
import { factsOf, kernel } from '../node-facts.ts'
import { moduleNode, shiftfsTerms } from './shiftfs-kernel.ts'

const MINUTE = 60_000

/** A node on which make fails, and a clock. */
function failingNode(stderr = 'shiftfs.c:1:1: error: unknown type name') {
  const node = moduleNode('1111')
  const source = temporary({ 'k6.1/Makefile': 'obj-m += shiftfs.o', 'k6.1/shiftfs.c': 'no C' })
  const builds: number[] = []
  let now = Date.parse('2026-01-01T00:00:00Z')
  const host: HostWriter = {
    ...node.host,
    exec: async () => {
      builds.push(now)
      return { status: 2, stdout: '', stderr }
    }
  }
  const terms = { ...shiftfsTerms(temporary()), source, now: () => new Date(now) }
  const apply = (release = '6.1.0-18-amd64') => {
    const state = { state: 'buildable', because: 'headers', outOfTree: true, suspect: false } as const
    return shiftfs.apply(host, factsOf({ kernel: kernel(release), 'boot-id': '1111', shiftfs: state }), terms)
  }
  return {
    source: join(source, 'k6.1/shiftfs.c'),
    builds: () => builds.length,
    pass: (milliseconds: number) => {
      now += milliseconds
    },
    apply: async (release?: string) => (await apply(release)).failure,
    tail: async () => (await apply()).tail
  }
}

test('a build that failed is tried again after 1 and 4 minutes more, three times in all', async () => {
  const node = failingNode()
  const failed = 'building shiftfs failed: make ended with status 2: unknown type name'
  for (const [pause, builds] of [
    [MINUTE, 1],
    [4 * MINUTE, 2]
  ] as const) {
    expect(await node.apply()).toBe(failed)
    node.pass(pause - 1_000)
    expect(await node.apply()).toMatch(/^tried again in 1 s; the last time: make ended with status 2/)
    expect(node.builds()).toBe(builds)
    node.pass(1_000)
  }
  expect(await node.apply()).toBe(failed)
  node.pass(365 * 24 * 60 * MINUTE)
  expect(await node.apply()).toMatch(/^this source failed 3 times on this kernel, and is not tried again until it changes: make/)
  expect(node.builds()).toBe(3)
})

test('another source or another kernel is built at once', async () => {
  const node = failingNode()
  await node.apply()
  await node.apply('6.1.0-19-amd64')
  expect(node.builds()).toBe(2)
  expect(await node.apply()).toMatch(/^tried again in/)
  writeFileSync(node.source, 'still no C')
  await node.apply('6.1.0-19-amd64')
  expect(node.builds()).toBe(3)
})

test('a clock that was set back by a year does not delay a build', async () => {
  const node = failingNode()
  await node.apply()
  node.pass(-365 * 24 * 60 * MINUTE)
  await node.apply()
  expect(node.builds()).toBe(2)
})

test('the output of the compiler is repeated without its colours until the next try', async () => {
  const node = failingNode('\u001b[31mshiftfs.c:1:1: error: unknown type name\u001b[m\nmake: *** Error 1')
  const said = 'shiftfs.c:1:1: error: unknown type name\nmake: *** Error 1'
  expect(await node.tail()).toBe(said)
  expect([await node.apply(), await node.tail(), node.builds()]).toEqual([
    'tried again in 60 s; the last time: make ended with status 2: unknown type name',
    said,
    1
  ])
})
