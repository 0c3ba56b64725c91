import { expect, test } from 'vitest'
import { localWriter } from '../../../src/host/local-writer.ts'
import type { HostWriter } from '../../../src/host/writer.ts'
import { readJournal, writeJournal } from '../../../src/remedies/journal.ts'
import { modules } from '../../../src/remedies/modules/apply.ts'
import { temporary } from '../host/temporary.ts'
import { factsOf } from '../node-facts.ts'

const BOOT = '1111'
const NO_TERMS = {}
const facts = factsOf({ fuse: { registered: false, device: undefined }, conntrack: true })

/** A root where modprobe and rmmod end as they are told, and /proc/modules lists `loaded`. */
function node(ends: Readonly<Record<string, { readonly status: number; readonly stderr: string }>>, loaded = '') {
  const root = temporary({ 'proc/sys/kernel/random/boot_id': `${BOOT}\n`, 'proc/modules': loaded })
  const ran: string[] = []
  const exec: HostWriter['exec'] = async ([program, ...args]) => {
    ran.push([program, ...args].join(' ').replaceAll(root, ''))
    const { modules: journal } = await readJournal(host)
    ran.push(`journal: ${journal?.names.join(' ') ?? 'empty'}`)
    return { status: 0, stderr: '', ...ends[program], stdout: '' }
  }
  const host: HostWriter = { ...localWriter(root), exec }
  return { host, ran, names: async () => (await readJournal(host)).modules?.names }
}

test('the journal names a module before it is loaded and after', async () => {
  const { host, ran, names } = node({})
  expect(await modules.apply(host, facts, NO_TERMS)).toMatchObject({ failure: undefined, did: 'loaded the module fuse' })
  expect(ran).toEqual(['modprobe --first-time -d / fuse', 'journal: fuse'])
  expect(await names()).toEqual(['fuse'])
})

test('a module that could not be loaded is not ours, and what we loaded before stays ours', async () => {
  const { host, names } = node({ modprobe: { status: 1, stderr: 'modprobe: ERROR: Module already in kernel.\n' } })
  await writeJournal(host, { modules: { boot: BOOT, names: ['nf_conntrack'] } })
  expect((await modules.apply(host, facts, NO_TERMS)).failure).toBe(
    'loading fuse failed: modprobe ended with status 1: modprobe: ERROR: Module already in kernel.'
  )
  expect(await names()).toEqual(['nf_conntrack'])
})

test.each([
  ['is loaded afterwards is ours', 'fuse 1 0 - Live 0x0\n', ['fuse']],
  ['is not loaded afterwards is not ours', 'fuse2 1 0 - Live 0x0\n', undefined]
])('a module whose load was killed by the timeout and that %s', async (_, loaded, expected) => {
  const { host, names } = node({ modprobe: { status: 137, stderr: 'ended by berth after 30000 ms' } }, loaded)
  await modules.apply(host, facts, NO_TERMS)
  expect(await names()).toEqual(expected)
})

test('undo leaves the journal as it is while a module is in use', async () => {
  const { host, names } = node({ rmmod: { status: 1, stderr: 'rmmod: ERROR: Module fuse is in use\n' } }, 'fuse 1 0 - Live 0x0\n')
  await writeJournal(host, { modules: { boot: BOOT, names: ['fuse'] } })
  expect((await modules.undo(host, NO_TERMS)).failure).toBe(
    'fuse stays loaded: rmmod: ERROR: Module fuse is in use; run --undo again when no workspace uses it, or reboot the node'
  )
  expect(await names()).toEqual(['fuse'])
})
