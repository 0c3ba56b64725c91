import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseKernel } from '../../../src/facts/kernel.ts'
import { sourceFolder } from '../../../src/facts/shiftfs-sources.ts'
import { findSource } from '../../../src/remedies/shiftfs/source.ts'

const kernel = (release: string) => {
  const parsed = parseKernel(release)
  if (parsed === undefined) throw new Error(release)
  return parsed
}

test.each([
  ['5.3', undefined],
  ['5.4.0-150-generic', 'k5.4'],
  ['5.7', 'k5.4'],
  ['5.8', 'k5.10'],
  ['5.9', undefined],
  ['5.10.218', 'k5.10'],
  ['5.11', 'k5.11'],
  ['5.12', undefined],
  ['5.14', 'k5.13'],
  ['5.15.0-91-generic', 'k5.16'],
  ['5.19', 'k5.18'],
  ['6.0', undefined],
  ['6.1.0-56-cloud-amd64', 'k6.1'],
  ['6.2', 'k6.1'],
  ['6.3', undefined],
  ['6.10', undefined],
  ['6.12', undefined]
])('kernel %s: %s', (release, folder) => {
  expect(sourceFolder(kernel(release))).toBe(folder)
})

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-source-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const put = (file: string, text = 'x') => {
  mkdirSync(join(directory, 'k6.1'), { recursive: true })
  writeFileSync(join(directory, 'k6.1', file), text)
}
const found = () => findSource(directory, kernel('6.1.0'))

test('only the files of a build are read, and another source has another checksum', async () => {
  put('shiftfs.c', 'int a;')
  put('Makefile')
  put('evil.sh')
  put('.hidden')
  const first = await found()
  expect([...first.files.keys()]).toEqual(['Makefile', 'shiftfs.c'])
  expect((await found()).checksum).toBe(first.checksum)
  put('shiftfs.c', 'int b;')
  expect((await found()).checksum).not.toBe(first.checksum)
})

test('a missing source names what is missing', async () => {
  await expect(found()).rejects.toThrow('--shiftfs-source has no folder k6.1 that could be read (ENOENT) for kernel 6.1.0')
  put('Makefile')
  await expect(found()).rejects.toThrow('the folder k6.1 of --shiftfs-source has no shiftfs.c')
  put('shiftfs.c', 'x'.repeat(1024 * 1024 + 1))
  await expect(found()).rejects.toThrow('larger than 1 MiB')
  await expect(findSource('', kernel('6.1.0'))).rejects.toThrow('name the directory that holds it with --shiftfs-source DIR')
  await expect(findSource(directory, kernel('6.12.0'))).rejects.toThrow('no source of shiftfs is made for kernel 6.12')
})

test('a FIFO is refused and does not block', async () => {
  put('shiftfs.c')
  execFileSync('mkfifo', [join(directory, 'k6.1', 'a.h')])
  await expect(found()).rejects.toThrow('a.h in the folder k6.1 of --shiftfs-source is not a regular file')
})

test('a link to an endless device or a directory is refused', async () => {
  put('shiftfs.c')
  const link = join(directory, 'k6.1', 'a.h')
  for (const target of ['/dev/zero', '/tmp', '/nowhere']) {
    symlinkSync(target, link)
    await expect(found()).rejects.toThrow(
      /^a\.h in the folder k6\.1 of --shiftfs-source (is not a regular file|cannot be read: ENOENT)/
    )
    rmSync(link)
  }
})

test('a file that others could have written is refused', async () => {
  put('shiftfs.c')
  for (const mode of [0o664, 0o646]) {
    chmodSync(join(directory, 'k6.1', 'shiftfs.c'), mode)
    await expect(found()).rejects.toThrow(
      'shiftfs.c in the folder k6.1 of --shiftfs-source can be written by others than its owner; expected none (chmod go-w)'
    )
  }
})

test('a link to a regular file counts as that file, as in the volume of a ConfigMap', async () => {
  put('shiftfs.c', 'int a;')
  const { checksum } = await found()
  mkdirSync(join(directory, 'k6.1', '..data'))
  put('..data/shiftfs.c', 'int a;')
  rmSync(join(directory, 'k6.1', 'shiftfs.c'))
  symlinkSync('..data/shiftfs.c', join(directory, 'k6.1', 'shiftfs.c'))
  const linked = await found()
  expect([linked.checksum, linked.files.get('shiftfs.c')?.toString()]).toEqual([checksum, 'int a;'])
})
