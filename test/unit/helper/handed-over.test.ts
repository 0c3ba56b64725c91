import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig } from '../../../src/cli/config.ts'
import { explain } from '../../../src/commands/explain.ts'
import { report } from '../../../src/commands/report.ts'
import { readBinding } from '../../../src/facts/proof-binding.ts'
import { type Handover, handoverText } from '../../../src/helper/handover.ts'
import { helperHandover } from '../../../src/helper/read-handover.ts'
import type { HostReader } from '../../../src/host/host.ts'
import { localHost } from '../../../src/host/local.ts'
import { temporary } from '../host/temporary.ts'
import { proofs } from '../node-facts.ts'

const BOOT = '7b3c1e2a-90ab-4cde-8f01-23456789abcd'
const RELEASE = '6.1.0-18-amd64'
const WORKS = 'id-mapped-mount was seen'
const FAILED = 'building shiftfs failed: make ended with status 2'

/** A node, and what its helper left beside it. */
async function handedNode(changes: Partial<Handover> = {}) {
  const root = temporary({
    'proc/sys/kernel/osrelease': `${RELEASE}\n`,
    'proc/sys/kernel/random/boot_id': `${BOOT}\n`,
    'proc/uptime': '2000.00 5.00\n',
    'proc/filesystems': 'nodev\toverlay\n',
    'proc/self/mountinfo': '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n',
    'proc/1/mountinfo': '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n',
    'var/lib/kubelet/x': ''
  })
  const handover: Handover = {
    ...{ schema: 1, at: '2026-11-03T10:00:06.000Z', uptime: 1_900, version: '0.1.0', node: 'node-a', boot: BOOT },
    release: RELEASE,
    made: { ...(await readBinding(localHost(root), '')), uptime: 1_000 },
    proofs: proofs({ 'id-mapped-mount': 'works' }),
    readings: { apparmorUserns: undefined, profiles: undefined, sysboxVersion: undefined },
    outcomes: [{ remedy: 'shiftfs', result: 'failed', because: FAILED, at: '2026-11-03T10:00:05.000Z', tail: '' }],
    ...changes
  }
  const file = join(temporary(), 'handover.json')
  writeFileSync(file, handoverText(handover))
  return { root, file }
}

async function said(command: typeof report, argv: readonly string[]): Promise<string> {
  let text = ''
  const print = (more: string) => {
    text += more
  }
  const clock = { elapsed: () => performance.now(), now: () => new Date() }
  await command(parseConfig(argv, {}, {}), { print, clock })
  return text
}

const proofsOf = (json: string): unknown => (JSON.parse(json) as { facts: { proofs: unknown } }).facts.proofs

test('report shows what the helper of this node found and did, for people and for programs', async () => {
  const { root, file } = await handedNode()
  const where = ['--host-root', root, '--handover', file]
  expect((await said(report, ['report', ...where])).replaceAll(/\n +/g, ' ')).toContain(`shiftfs           failed: ${FAILED}`)
  const json = await said(report, ['report', ...where, '--format', 'json'])
  expect(JSON.stringify(proofsOf(json))).toContain(WORKS)
  expect((JSON.parse(json) as { outcomes: unknown }).outcomes).toMatchObject([{ remedy: 'shiftfs', because: FAILED }])
  const without = await said(report, ['report', '--host-root', root, '--handover', join(root, 'none'), '--format', 'json'])
  expect(JSON.stringify(proofsOf(without))).not.toContain(WORKS)
  expect(JSON.parse(without)).not.toHaveProperty('outcomes')
})

test('explain rests on what the helper found', async () => {
  const { root, file } = await handedNode()
  const tree = await said(explain, ['explain', 'cvm', '--host-root', root, '--handover', file])
  expect(tree.replaceAll(/\n[ │├└─]+/g, ' ')).toContain(WORKS)
})

test.each<[string, Partial<Handover>, RegExp]>([
  ['another boot', { boot: '00000000-0000-4000-8000-000000000000' }, /it was made under boot 00000000/],
  [
    'another disk',
    { made: { filesystems: 'nodev\toverlay\n', disk: 'zfs (0:20) at /', overProc: '', uptime: 1_000 } },
    /made on zfs/
  ]
])('a handover from %s is not used, and report says so', async (_, changes, why) => {
  const { root, file } = await handedNode(changes)
  const json = await said(report, ['report', '--host-root', root, '--handover', file, '--format', 'json'])
  expect(JSON.stringify(proofsOf(json))).toMatch(why)
  expect(JSON.stringify(proofsOf(json))).not.toContain(WORKS)
})

test('a handover from another Node is not used if the name of this Node is known', async () => {
  const { root, file } = await handedNode()
  const node = join(root, 'node.json')
  const written = (name: string) => writeFileSync(node, JSON.stringify({ kind: 'Node', metadata: { name } }))
  const argv = ['report', '--host-root', root, '--handover', file, '--node', node, '--format', 'json']
  written('node-b')
  expect(JSON.stringify(proofsOf(await said(report, argv)))).toContain('it is about the Node \\"node-a\\"')
  written('node-a')
  expect(JSON.stringify(proofsOf(await said(report, argv)))).toContain(WORKS)
})

test('an error that only has the name Unsure is a bug, and is thrown', async () => {
  const { root, file } = await handedNode()
  const bug = Object.assign(new Error('a bug'), { name: 'Unsure' })
  const host: HostReader = { ...localHost(root), read: () => Promise.reject(bug) }
  const config = parseConfig(['report', '--handover', file], {}, {})
  await expect(helperHandover({ config, host, doubted: () => undefined })).rejects.toBe(bug)
})

test('a recorded node has no helper', async () => {
  const { root, file } = await handedNode()
  const recorded = join(root, 'node.yaml')
  copyFileSync(join(import.meta.dirname, '../../nodes/debian-12-headers.yaml'), recorded)
  const [json, without] = await Promise.all(
    [file, '/none'].map(path => said(report, ['report', '--host-root', recorded, '--handover', path, '--format', 'json']))
  )
  expect(proofsOf(json ?? '')).toEqual(proofsOf(without ?? ''))
  expect(json).not.toContain('not believed')
})
