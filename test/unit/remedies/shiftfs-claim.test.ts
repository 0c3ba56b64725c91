import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readJournal, writeJournal } from '../../../src/remedies/journal.ts'
import { shiftfs } from '../../../src/remedies/shiftfs/apply.ts'
import { persist } from '../../../src/remedies/shiftfs/persist.ts'
import { builtModule, loadableUnder, moduleHost, moduleNode, shiftfsTerms } from './shiftfs-kernel.ts'

const [FIRST, SECOND] = ['1111', '2222']
const RELEASE = '6.1.0-1'
const EXISTS = { status: 1, stderr: 'modprobe: ERROR: Module already in kernel.\n', loaded: true }
const IN_USE = { status: 1, stderr: 'rmmod: ERROR: Module shiftfs is in use\n', loaded: true }

const begin = () => ({ node: moduleNode(FIRST), ...builtModule() })
type Begun = ReturnType<typeof begin>
const apply = ({ node: { root }, scratch }: Begun, failing = {}) =>
  shiftfs.apply(moduleHost(root, { failing }), loadableUnder(FIRST), shiftfsTerms(scratch))
const undo = ({ node: { root }, scratch }: Begun, failing = {}) =>
  shiftfs.undo(moduleHost(root, { failing }), shiftfsTerms(scratch))

describe('on a stand-in for a kernel with shiftfs', () => {
  test('a module that somebody else loaded while we tried is not ours, and undo leaves it alone', async () => {
    const begun = begin()
    expect((await apply(begun, { modprobe: EXISTS })).failure).toBe(
      'loading shiftfs failed: modprobe ended with status 1: modprobe: ERROR: Module already in kernel.'
    )
    expect(await undo(begun)).toMatchObject({
      did: 'nothing to undo: berth did not load shiftfs on this node',
      failure: undefined
    })
    expect(begun.node.isLoaded()).toBe(true)
  })

  test('such a module does not become ours by files that we persisted in an earlier boot', async () => {
    const begun = begin()
    await apply(begun)
    await persist(begun.node.host, { release: RELEASE, file: begun.file })
    begun.node.reboot(SECOND)
    await begun.node.host.exec(['rmmod', 'shiftfs'], { timeout: 1 })
    await apply(begun, { modprobe: EXISTS })
    expect((await undo(begun)).did).toMatch(/^removed .*; no shiftfs that berth loaded is loaded now$/)
    expect(begun.node.isLoaded()).toBe(true)
    expect(existsSync(join(begun.node.root, '/etc/modules-load.d/berth-shiftfs.conf'))).toBe(false)
  })

  test('a failed load leaves no claim', async () => {
    const begun = begin()
    await apply(begun, { modprobe: { status: 1, stderr: 'Operation not permitted', loaded: false } })
    expect((await readJournal(begun.node.host)).shiftfs).toBeUndefined()
  })

  test('a load whose end was not recorded counts as ours if the module is loaded', async () => {
    const begun = begin()
    await writeJournal(begun.node.host, { shiftfs: { boot: FIRST, files: [], state: 'loading' } })
    await begun.node.host.exec(['modprobe', 'shiftfs'], { timeout: 1 })
    expect((await undo(begun)).did).toBe('unloaded shiftfs')
    expect(begun.node.isLoaded()).toBe(false)
  })

  test('a module whose load was killed by the timeout and that is loaded afterwards is ours', async () => {
    const begun = begin()
    const late = { status: 137, stderr: '\nended by berth after 30000 ms', loaded: true }
    const { failure, did } = await apply(begun, { modprobe: late })
    expect({ failure, did }).toEqual({ failure: undefined, did: expect.stringMatching(/^loaded .*; it was tried, and works$/) })
    expect((await undo(begun)).did).toBe('unloaded shiftfs')
  })

  test('a load that was killed by the timeout without a loaded module has failed', async () => {
    const late = { status: 137, stderr: '\nended by berth after 30000 ms', loaded: false }
    expect((await apply(begin(), { modprobe: late })).failure).toBe(
      'loading shiftfs failed: modprobe ended with status 137: ended by berth after 30000 ms'
    )
  })

  test('a module in use stays ours, also if it was loaded from a persisted file, and the next undo unloads it', async () => {
    const begun = begin()
    await apply(begun)
    await persist(begun.node.host, { release: RELEASE, file: begun.file })
    begun.node.reboot(SECOND)
    expect((await undo(begun, { rmmod: IN_USE })).failure).toMatch(
      /^shiftfs stays loaded: rmmod: ERROR: Module shiftfs is in use; run --undo again when no workspace uses it, or reboot the node$/
    )
    expect(existsSync(join(begun.node.root, `lib/modules/${RELEASE}/updates/berth`))).toBe(false)
    expect((await undo(begun)).did).toBe('unloaded shiftfs')
    expect({ loaded: begun.node.isLoaded(), journal: await readJournal(begun.node.host) }).toEqual({
      loaded: false,
      journal: { schema: 1 }
    })
  })
})
