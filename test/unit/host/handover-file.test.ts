import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HANDOVER_CAP, readHandover } from '../../../src/host/handover-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-handover-'))
  path = join(directory, 'handover.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a file is read, and a missing one is undefined', async () => {
  expect(await readHandover(path)).toBeUndefined()
  expect(await readHandover(join(path, 'below'))).toBeUndefined()
  writeFileSync(path, '{"a":"ö"}')
  expect(await readHandover(path)).toBe('{"a":"ö"}')
  writeFileSync(path, 'x'.repeat(HANDOVER_CAP))
  expect(await readHandover(path)).toHaveLength(HANDOVER_CAP)
})

test('a file that is too large is refused without reading it to the end', async () => {
  writeFileSync(path, 'x'.repeat(HANDOVER_CAP + 1))
  await expect(readHandover(path)).rejects.toThrow('it is larger than 64 KiB')
  truncateSync(path, 2 ** 40)
  await expect(readHandover(path)).rejects.toThrow('it is larger than 64 KiB')
})

test.each<readonly [string, () => void, string]>([
  ['a link', () => symlinkSync('/etc/passwd', path), 'it is a symbolic link'],
  ['a link to nowhere', () => symlinkSync('/nowhere', path), 'it is a symbolic link'],
  ['a directory', () => mkdirSync(path), 'it is not a regular file'],
  ['a FIFO, which would block a reader for ever', () => void execFileSync('mkfifo', [path]), 'it is not a regular file']
])('%s is refused', async (_, put, says) => {
  put()
  await expect(readHandover(path)).rejects.toThrow(says)
})

test('an endless device is refused', async () => {
  await expect(readHandover('/dev/zero')).rejects.toThrow('it is not a regular file')
})

test('a file that is being replaced is read as the old one or the new one', async () => {
  const texts = ['a'.repeat(40_000), 'b'.repeat(50_000)]
  writeFileSync(path, texts[0] as string)
  for (let round = 0; round < 200; round += 1) {
    const reading = readHandover(path)
    writeFileSync(`${path}.new`, texts[round % 2] as string)
    renameSync(`${path}.new`, path)
    expect(texts).toContain(await reading)
  }
})
