import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ownFolder } from '../../support/own-folder.ts'

const nobody = 2 ** 22 + 1 // above the largest pid that Linux gives
let parent: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-leftovers-'))
})

afterEach(() => rm(parent, { recursive: true }))

test('removes what a dead owner left long ago, and nothing else', async () => {
  await leave(`x-${nobody}-old`, 3)
  const kept = [`x-${nobody}-recent`, `x-${process.pid}-old-but-owned`, `y-${nobody}-of-another-kind`]
  await leave(kept[0], 1)
  await leave(kept[1], 3)
  await leave(kept[2], 3)
  const own = await ownFolder(parent, 'x-')
  expect((await readdir(parent)).toSorted()).toEqual([...kept, basename(own)].toSorted())
})

async function leave(name: string | undefined, hoursAgo: number): Promise<void> {
  const path = join(parent, name ?? '')
  await mkdir(path)
  const then = Date.now() / 1000 - hoursAgo * 3600
  await utimes(path, then, then)
}
