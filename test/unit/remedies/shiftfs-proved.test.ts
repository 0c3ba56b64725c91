import { expect, test } from 'vitest'
import type { Proof } from '../../../src/facts/proofs.ts'
import { readJournal } from '../../../src/remedies/journal.ts'
import { shiftfs } from '../../../src/remedies/shiftfs/apply.ts'
import { proofs } from '../node-facts.ts'
import { builtModule, loadableUnder, moduleNode, shiftfsTerms } from './shiftfs-kernel.ts'

type Outcome = Proof['outcome']

/** What becomes of a module that was just loaded, by what its trials say. */
async function loadedAnd(disk: Outcome, overlay: Outcome) {
  const node = moduleNode('1111')
  const prove = () => Promise.resolve(proofs({ 'shiftfs-on-disk': disk, 'shiftfs-on-overlay': overlay }))
  const deed = await shiftfs.apply(node.host, loadableUnder('1111'), { ...shiftfsTerms(builtModule().scratch), prove })
  return { loaded: node.isLoaded(), failure: deed.failure, broken: (await readJournal(node.host)).broken?.because }
}

test('a stand-in module that works stays', async () => {
  expect(await loadedAnd('works', 'works')).toEqual({ loaded: true, failure: undefined, broken: undefined })
})

test.each([
  ['fails', 'works', 'shiftfs-on-disk'],
  ['works', 'fails', 'shiftfs-on-overlay'],
  ['untried', 'fails', 'shiftfs-on-overlay']
] as const)(
  'a stand-in module whose trial on disk is "%s" and on overlayfs "%s" is unloaded, and remembered as broken',
  async (disk, overlay, name) => {
    const { loaded, failure, broken } = await loadedAnd(disk, overlay)
    expect({ loaded, broken }).toEqual({ loaded: false, broken: `${name} was seen` })
    expect(failure).toMatch(/and it does not work: .* was seen; it was unloaded again$/)
  }
)

test.each([
  ['untried', 'works'],
  ['works', 'untried']
] as const)(
  'a stand-in module whose trial on disk is "%s" and on overlayfs "%s" is unloaded, and may be tried again',
  async (disk, overlay) => {
    const { loaded, failure, broken } = await loadedAnd(disk, overlay)
    expect({ loaded, broken }).toEqual({ loaded: false, broken: undefined })
    expect(failure).toMatch(/and it could not be tested: .* was seen; it was unloaded again$/)
  }
)
