import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { HostWriter } from '../../../src/host/writer.ts'
import { undoAll } from '../../../src/remedies/apply.ts'
import { JOURNAL, readJournal, writeJournal } from '../../../src/remedies/journal.ts'
import { shiftfs } from '../../../src/remedies/shiftfs/apply.ts'
import { persist } from '../../../src/remedies/shiftfs/persist.ts'
import { builtModule, loadableUnder, moduleNode, shiftfsTerms } from './shiftfs-kernel.ts'

const [FIRST, SECOND] = ['1111', '2222']
/** A node, and a module to persist there. */
const begin = () => ({ node: moduleNode(FIRST), ...builtModule() })

const load = (host: HostWriter, scratch: string, boot: string) => shiftfs.apply(host, loadableUnder(boot), shiftfsTerms(scratch))

describe('undo on a stand-in for a kernel with shiftfs', () => {
  test('removes files that were persisted in an earlier boot, and unloads the module', async () => {
    const { node, scratch, file } = begin()
    await load(node.host, scratch, FIRST)
    expect(await persist(node.host, { release: '6.1.0-1', file })).toBe('')
    node.reboot(SECOND)
    expect(node.isLoaded()).toBe(true)
    const { failure, did } = await shiftfs.undo(node.host, shiftfsTerms(scratch))
    expect({ failure, loaded: node.isLoaded() }).toEqual({ failure: undefined, loaded: false })
    expect(did).toBe(
      'removed /lib/modules/6.1.0-1/updates/berth/shiftfs.ko, /etc/modules-load.d/berth-shiftfs.conf; unloaded shiftfs'
    )
    expect(existsSync(join(node.root, 'lib/modules/6.1.0-1/updates/berth/shiftfs.ko'))).toBe(false)
  })

  test('removes the persisted files of every kernel', async () => {
    const { node, scratch, file } = begin()
    await load(node.host, scratch, FIRST)
    await persist(node.host, { release: '6.1.0-1', file })
    node.reboot(SECOND)
    await load(node.host, scratch, SECOND)
    await persist(node.host, { release: '6.1.0-2', file })
    expect((await shiftfs.undo(node.host, shiftfsTerms(scratch))).failure).toBeUndefined()
    for (const release of ['6.1.0-1', '6.1.0-2']) {
      expect(existsSync(join(node.root, `lib/modules/${release}/updates/berth/shiftfs.ko`))).toBe(false)
      expect(node.ran).toContain(`depmod -b / ${release}`)
    }
    expect(existsSync(join(node.root, 'etc/modules-load.d/berth-shiftfs.conf'))).toBe(false)
  })

  test('leaves a module that somebody else loaded in another boot', async () => {
    const { node, scratch } = begin()
    await load(node.host, scratch, FIRST)
    node.reboot(SECOND)
    await node.host.exec(['modprobe', 'shiftfs'], { timeout: 1 })
    expect((await shiftfs.undo(node.host, shiftfsTerms(scratch))).did).toBe('no shiftfs that berth loaded is loaded now')
    expect(node.isLoaded()).toBe(true)
  })
})

test.each([
  '/etc/passwd',
  '/lib/modules/../../etc/updates/berth/shiftfs.ko',
  '/lib/modules/6.1.0-1/updates/berth/../../../../../etc/passwd',
  '/lib/modules/6.1.0-1/updates/berth/shiftfs.ko/x',
  '/etc/modules-load.d/other.conf'
])('undo removes nothing when the journal lists %s, which we never write', async path => {
  const { node, scratch, file } = begin()
  await load(node.host, scratch, FIRST)
  await persist(node.host, { release: '6.1.0-1', file })
  const { shiftfs: entry } = await readJournal(node.host)
  if (entry === undefined) throw new Error('nothing was loaded')
  await node.host.write('/etc/passwd', 'root:x:0:0')
  await writeJournal(node.host, { shiftfs: { ...entry, files: [...entry.files, path] } })
  const deeds = await undoAll(node.host, { ...shiftfsTerms(scratch), maxUserNamespaces: 1 })
  expect(deeds.find(({ remedy }) => remedy === 'shiftfs')?.failure).toContain(
    `${JOURNAL} cannot be read: it lists "${path}", a file that berth never writes, so nothing is removed`
  )
  expect(existsSync(join(node.root, 'etc/passwd'))).toBe(true)
  expect(entry.files.every(kept => existsSync(join(node.root, kept)))).toBe(true)
  expect(node.isLoaded()).toBe(true)
})

test('if a second module cannot be persisted, the first one stays', async () => {
  const { node, scratch, file } = begin()
  await load(node.host, scratch, FIRST)
  await persist(node.host, { release: '6.1.0-1', file })
  expect(await persist(node.host, { release: '6.1.0-2', file: join(scratch, 'nowhere') })).toMatch(
    /^\/lib\/modules\/6\.1\.0-2\/updates\/berth\/shiftfs\.ko cannot be written: ENOENT: .*nowhere/
  )
  expect(existsSync(join(node.root, 'lib/modules/6.1.0-1/updates/berth/shiftfs.ko'))).toBe(true)
  expect(existsSync(join(node.root, 'etc/modules-load.d/berth-shiftfs.conf'))).toBe(true)
})
