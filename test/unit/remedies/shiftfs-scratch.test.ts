import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { clearScratch, newBuildFolder, whyNoScratch } from '../../../src/remedies/shiftfs/scratch.ts'
import { temporary } from '../host/temporary.ts'

const modeOf = (path: string): number => statSync(path).mode & 0o777

test('a build has a folder of its own in a directory that nobody else may enter, whatever the umask is', async () => {
  const scratch = join(temporary(), 'scratch')
  const [one, two] = [await newBuildFolder(scratch), await newBuildFolder(scratch)]
  expect(one).not.toBe(two)
  expect([scratch, one, two].map(modeOf)).toEqual([0o700, 0o700, 0o700])
  expect(dirname(one)).toBe(scratch)
  await clearScratch(scratch)
  expect([existsSync(one), existsSync(two), existsSync(scratch)]).toEqual([false, false, true])
})

test.each([0o777, 0o1777, 0o770, 0o702])('nothing is built in an existing directory of mode %o', async mode => {
  const scratch = join(temporary({ 'scratch/berth-build-a/x': '' }), 'scratch')
  chmodSync(scratch, mode)
  await expect(newBuildFolder(scratch)).rejects.toThrow(
    /can be written by others \(\d+\); remove .*, and berth creates it again$/
  )
  await clearScratch(scratch)
  expect(existsSync(join(scratch, 'berth-build-a/x'))).toBe(true)
})

test('a build uses an existing directory that only root can write into, as an earlier berth made it', async () => {
  const scratch = join(temporary({ 'scratch/berth-build-a/x': '' }), 'scratch')
  chmodSync(scratch, 0o755)
  expect(await whyNoScratch(scratch)).toBe('')
  expect(modeOf(await newBuildFolder(scratch))).toBe(0o700)
  await clearScratch(scratch)
  expect(existsSync(join(scratch, 'berth-build-a'))).toBe(false)
})

test('a link is refused as a scratch directory, wherever it leads', async () => {
  const root = temporary({ 'theirs/berth-build-a/x': '' })
  const scratch = join(root, 'scratch')
  chmodSync(join(root, 'theirs'), 0o700)
  symlinkSync(join(root, 'theirs'), scratch)
  await expect(newBuildFolder(scratch)).rejects.toThrow(/scratch is not a directory; remove /)
  await clearScratch(scratch)
  expect(existsSync(join(root, 'theirs/berth-build-a/x'))).toBe(true)
})

test('a lack of space is known before the build', async () => {
  const scratch = join(temporary(), 'scratch')
  expect(await whyNoScratch(scratch)).toBe('')
  mkdirSync(scratch, { mode: 0o700 })
  expect(await whyNoScratch(scratch)).toBe('')
  expect(await whyNoScratch('/sys/scratch')).toMatch(/has 0 KiB free; expected 16 MiB/)
})
