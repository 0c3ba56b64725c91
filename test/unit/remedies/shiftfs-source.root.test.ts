import { chownSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseKernel } from '../../../src/facts/kernel.ts'
import { clearScratch, newBuildFolder, whyNoScratch } from '../../../src/remedies/shiftfs/scratch.ts'
import { findSource } from '../../../src/remedies/shiftfs/source.ts'
import { temporary } from '../host/temporary.ts'

const kernel = parseKernel('6.1.0')
if (kernel === undefined) throw new Error('no kernel')

test('a source that belongs to another user is not built', async () => {
  const source = temporary({ 'k6.1/shiftfs.c': 'int a;' })
  expect((await findSource(source, kernel)).files.size).toBe(1)
  chownSync(join(source, 'k6.1/shiftfs.c'), 1000, 1000)
  await expect(findSource(source, kernel)).rejects.toThrow(/^shiftfs\.c .* belongs to the user 1000, .*; expected root/)
})

test('a scratch directory that another user made is not built in, and nothing is removed from it', async () => {
  const scratch = join(temporary({ 'scratch/berth-build-a/x': '' }), 'scratch')
  chownSync(scratch, 1000, 1000)
  await expect(newBuildFolder(scratch)).rejects.toThrow(
    /belongs to the user 1000; remove .*\/scratch, and berth creates it again$/
  )
  expect(await whyNoScratch(scratch)).toContain('belongs to the user 1000')
  await clearScratch(scratch)
  await expect(newBuildFolder(join(scratch, 'berth-build-a/x/y'))).rejects.toThrow('ENOTDIR')
})
