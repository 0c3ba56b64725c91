import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isCached, makeCached, pathOfCached } from '../../support/cache.ts'

const wanted = { name: 'programs/x-1', files: ['x'] }
const write = (text: string) => (draft: string) => writeFile(join(draft, 'x'), text)
const content = () => readFile(join(pathOfCached(wanted), 'x'), 'utf8')
let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'berth-cache-'))
  vi.stubEnv('XDG_CACHE_HOME', home)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(home, { recursive: true })
})

test('what was made is there as a whole, and no draft is left', async () => {
  expect(await isCached(wanted)).toBe(false)
  await makeCached(wanted, write('made'))
  expect(await isCached(wanted)).toBe(true)
  expect(await content()).toBe('made')
  expect(await readdir(join(home, 'berth-test'))).toEqual(['programs'])
})

test('what fails in the middle is not there at all', async () => {
  const failing = makeCached(wanted, async draft => {
    await write('half')(draft)
    throw new Error('the disk is full')
  })
  await expect(failing).rejects.toThrow('the disk is full')
  expect(await isCached(wanted)).toBe(false)
  expect(await readdir(join(home, 'berth-test'))).toEqual([])
})

test('of two that make it at once, the one that ends first is kept', async () => {
  await makeCached(wanted, async draft => {
    await makeCached(wanted, write('first'))
    await write('second')(draft)
  })
  expect(await content()).toBe('first')
})

test('a folder from which a file was removed is made anew', async () => {
  await makeCached(wanted, write('first'))
  await rm(join(pathOfCached(wanted), 'x'))
  await writeFile(join(pathOfCached(wanted), 'other'), '')
  await makeCached(wanted, write('second'))
  expect(await content()).toBe('second')
})
