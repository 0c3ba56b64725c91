import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ShiftfsTerms, shiftfs } from '../../../src/remedies/shiftfs.ts'
import { persist } from '../../../src/remedies/shiftfs-persist.ts'
import { factsOf, proofs } from '../node-facts.ts'
import { moduleNode } from './shiftfs-kernel.ts'

const [FIRST, SECOND] = ['1111', '2222']
const LOADABLE = { state: 'loadable', because: 'it lies there', sources: [], blockedBy: '' } as never

const scratch = mkdtempSync(join(tmpdir(), 'berth-undo-'))
const terms: ShiftfsTerms = {
  source: '',
  scratch,
  persist: true,
  now: () => new Date(),
  prove: () => Promise.resolve(proofs({ 'shiftfs-on-disk': 'works', 'shiftfs-on-overlay': 'works' }))
}
const built = join(scratch, 'shiftfs.ko')
writeFileSync(built, 'a module')

const load = (host: ReturnType<typeof moduleNode>['host'], boot: string) =>
  shiftfs.apply(host, factsOf({ shiftfs: LOADABLE, 'boot-id': boot }), terms)

describe('undo', () => {
  test('removes what was persisted under an earlier boot, and the module that came of it', async () => {
    const node = moduleNode(FIRST)
    await load(node.host, FIRST)
    expect(await persist(node.host, { release: '6.1.0-1', file: built })).toBe('')
    node.reboot(SECOND)
    expect(node.isLoaded()).toBe(true)
    const { failure, did } = await shiftfs.undo(node.host, terms)
    expect({ failure, loaded: node.isLoaded() }).toEqual({ failure: undefined, loaded: false })
    expect(did).toBe(
      'removed /lib/modules/6.1.0-1/updates/berth/shiftfs.ko, /etc/modules-load.d/berth-shiftfs.conf; unloaded shiftfs'
    )
    expect(existsSync(join(node.root, 'lib/modules/6.1.0-1/updates/berth/shiftfs.ko'))).toBe(false)
  })

  test('removes what was persisted for every kernel, when the module was loaded again since', async () => {
    const node = moduleNode(FIRST)
    await load(node.host, FIRST)
    await persist(node.host, { release: '6.1.0-1', file: built })
    node.reboot(SECOND)
    await load(node.host, SECOND)
    await persist(node.host, { release: '6.1.0-2', file: built })
    expect((await shiftfs.undo(node.host, terms)).failure).toBeUndefined()
    for (const release of ['6.1.0-1', '6.1.0-2']) {
      expect(existsSync(join(node.root, `lib/modules/${release}/updates/berth/shiftfs.ko`))).toBe(false)
      expect(node.ran).toContain(`depmod -b / ${release}`)
    }
    expect(existsSync(join(node.root, 'etc/modules-load.d/berth-shiftfs.conf'))).toBe(false)
  })

  test('leaves a module alone that somebody else loaded under another boot', async () => {
    const node = moduleNode(FIRST)
    await load(node.host, FIRST)
    node.reboot(SECOND)
    await node.host.exec(['modprobe', 'shiftfs'], { timeout: 1 })
    expect((await shiftfs.undo(node.host, terms)).did).toBe('our module is not loaded')
    expect(node.isLoaded()).toBe(true)
  })
})

test('where a second module cannot be persisted, the first one stays', async () => {
  const node = moduleNode(FIRST)
  await load(node.host, FIRST)
  await persist(node.host, { release: '6.1.0-1', file: built })
  expect(await persist(node.host, { release: '6.1.0-2', file: join(scratch, 'nowhere') })).toMatch(/nowhere|not there|ENOENT/)
  expect(existsSync(join(node.root, 'lib/modules/6.1.0-1/updates/berth/shiftfs.ko'))).toBe(true)
  expect(existsSync(join(node.root, 'etc/modules-load.d/berth-shiftfs.conf'))).toBe(true)
})
