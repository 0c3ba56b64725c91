import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isInstalled } from '../../../src/host/execute.ts'
import { localWriter } from '../../../src/host/local-writer.ts'
import { whyNoBuild } from '../../../src/remedies/shiftfs/needs.ts'
import { temporary } from '../host/temporary.ts'

const host = (release: string) => localWriter(temporary({ 'proc/sys/kernel/osrelease': `${release}\n` }))
const source = () => temporary({ 'k6.1/shiftfs.c': 'int a;' })
const scratch = () => join(temporary(), 'scratch')

test('a build can begin with a source, a compiler and enough space', async () => {
  const programs = ['gcc', 'make', 'setpriv', 'unshare']
  const installed = (await Promise.all(programs.map(isInstalled))).every(Boolean)
  const why = await whyNoBuild(host('6.1.0-18-amd64'), { source: source(), scratch: scratch() })
  expect(why).toBe(installed ? '' : expect.stringContaining('not installed where the helper runs'))
})

test('an unknown program is not installed', async () => {
  expect([await isInstalled('sh'), await isInstalled('berth-no-such-program')]).toEqual([true, false])
})

test.each<[string, string, () => string, RegExp]>([
  ['no source', '6.1.0', () => '', /^no source was given; name the directory that holds it with --shiftfs-source DIR$/],
  ['no folder for this kernel', '5.10.0', source, /^--shiftfs-source has no folder k5\.10 that could be read \(ENOENT\)/],
  ['a kernel that no source is made for', '6.12.0', source, /^no source of shiftfs is made for kernel 6\.12$/]
])('a build cannot begin with %s', async (_, release, directory, why) => {
  expect(await whyNoBuild(host(release), { source: directory(), scratch: scratch() })).toMatch(why)
})

test('a build cannot begin if others may write into the scratch directory', async () => {
  const theirs = temporary()
  chmodSync(theirs, 0o777)
  const why = await whyNoBuild(host('6.1.0'), { source: source(), scratch: theirs })
  expect(why).toMatch(/can be written by others \(777\)|not installed where the helper runs/)
})
