import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { JOURNAL, parseJournal } from '../../../src/remedies/journal.ts'
import { shiftfs } from '../../../src/remedies/shiftfs/apply.ts'
import { persist } from '../../../src/remedies/shiftfs/persist.ts'
import { killed, rounds } from './kill.ts'
import { builtModule, loadableUnder, moduleNode, shiftfsTerms } from './shiftfs-kernel.ts'

const ROUNDS = 50
const RELEASE = '6.1.0-1'
const KEPT = [`lib/modules/${RELEASE}/updates/berth/shiftfs.ko`, 'etc/modules-load.d/berth-shiftfs.conf']

async function round(index: number): Promise<string> {
  const boot = `boot-${index}`
  const node = moduleNode(boot)
  const { scratch, file } = builtModule()
  const cut = await killed('load-and-die.ts', [node.root, boot, RELEASE, file], Math.random() * 120)
  const path = join(node.root, JOURNAL)
  const journal = existsSync(path) ? parseJournal(readFileSync(path, 'utf8')) : { schema: 1 as const }
  expect(journal).toBeDefined()
  // Nothing was done that the journal does not tell of, and no file is there in part.
  const isLoaded = node.isLoaded()
  if (isLoaded) expect(journal?.shiftfs?.boot).toBe(boot)
  const there = KEPT.filter(kept => existsSync(join(node.root, kept)))
  expect(journal?.shiftfs?.files ?? []).toEqual(expect.arrayContaining(there.map(kept => `/${kept}`)))
  const [module = ''] = KEPT
  if (there.includes(module)) expect(readFileSync(join(node.root, module)).length).toBe(80_000)
  if (there.length === 2) expect(isLoaded).toBe(true)

  const terms = shiftfsTerms(scratch)
  expect((await shiftfs.apply(node.host, loadableUnder(boot), terms)).failure).toBeUndefined()
  expect(await persist(node.host, { release: RELEASE, file })).toBe('')
  expect(KEPT.every(kept => existsSync(join(node.root, kept)))).toBe(true)
  expect((await shiftfs.undo(node.host, terms)).failure).toBeUndefined()
  expect({ loaded: node.isLoaded(), left: KEPT.filter(kept => existsSync(join(node.root, kept))) }).toEqual({
    loaded: false,
    left: []
  })
  // A cut write leaves one file at most, which the next write after ten seconds takes away.
  expect(readdirSync(join(node.root, 'var/lib/berth')).length).toBeLessThanOrEqual(2)
  return `${cut ? 'cut' : 'ended'}: ${journal?.shiftfs === undefined ? 'no' : 'a'} journal, ${isLoaded ? '' : 'not '}loaded, ${there.length} files`
}

test(`killed at ${ROUNDS} moments on a stand-in for a kernel with shiftfs, the next start finds a clean or a finished node, and undo leaves nothing`, async () => {
  const found = await rounds(ROUNDS, round)
  expect(found).toHaveLength(ROUNDS)
  expect(found.some(what => what.startsWith('cut'))).toBe(true)
}, 180_000)
