import { describe, expect, test } from 'vitest'
import { type Made, readBinding, readUptime, whyVoid } from '../../../src/facts/proof-binding.ts'
import { localHost } from '../../../src/host/local.ts'
import { temporary } from '../host/temporary.ts'

const made: Made = { filesystems: 'nodev\toverlay\n\text4\n', disk: 'ext4 (8:1) at /', overProc: '', uptime: 1_000 }
const hours = (count: number): number => made.uptime + count * 3600

describe('proofs', () => {
  test.each<[what: string, live: Partial<Made>, why: RegExp | undefined]>([
    ['of a moment ago hold', {}, undefined],
    ['of a day ago hold', { uptime: hours(25) }, undefined],
    [
      'of a helper that stopped are void after a day',
      { uptime: hours(25) + 1 },
      /are 25 hours old; check that the helper is running/
    ],
    ['dated in the future are void', { uptime: 999 }, /dated after the current uptime/],
    [
      'are void once another disk is mounted over theirs',
      { disk: 'zfs (0:50) at /var/lib' },
      /made on ext4 \(8:1\) at \/, but the kubelet's root is on zfs \(0:50\) at \/var\/lib/
    ],
    ['are void once a file system is gone', { filesystems: '\text4\n' }, /file systems of the kernel have changed/],
    [
      'are void once something is mounted over a file of /proc',
      { overProc: '/proc/cmdline' },
      /made with nothing mounted over \/proc, but now it is \/proc\/cmdline/
    ]
  ])('%s', (_, live, why) => {
    const said = whyVoid(made, { ...made, ...live })
    if (why === undefined) expect(said).toBeUndefined()
    else expect(said).toMatch(why)
  })
})

const MOUNTS = '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:50 / /var/lib rw - zfs pool rw\n'
const node = (more: Readonly<Record<string, string>> = {}) =>
  localHost(
    temporary({
      'proc/filesystems': 'nodev\toverlay\n',
      'proc/1/mountinfo': MOUNTS,
      'proc/uptime': '350735.47 234388.90\n',
      'var/lib/kubelet/pods/1/': 'directory/',
      'data/kubelet/': 'directory/',
      ...more
    })
  )

test('the disk is the one that holds the kubelet’s root, detected or given', async () => {
  expect(await readBinding(node(), '')).toEqual({ filesystems: 'nodev\toverlay\n', disk: 'zfs (0:50) at /var/lib', overProc: '' })
  expect((await readBinding(node(), '/data/kubelet')).disk).toBe('ext4 (8:1) at /')
})

test('mounts over files of /proc are part of the binding, in any order', async () => {
  const covered = `${MOUNTS}24 22 0:5 / /proc rw - proc proc rw\n26 24 8:1 /b /proc/meminfo rw - ext4 /dev/sda1 rw\n25 24 8:1 /a /proc/cmdline rw - ext4 /dev/sda1 rw\n`
  expect((await readBinding(node({ 'proc/1/mountinfo': covered }), '')).overProc).toBe('/proc/cmdline /proc/meminfo')
})

test('a binding that cannot be read throws', async () => {
  await expect(readBinding(localHost(temporary({})), '')).rejects.toThrow('/proc/filesystems is missing')
  await expect(readBinding(node({ 'proc/1/mountinfo': '23 22 0:50 / /srv rw - zfs pool rw\n' }), '')).rejects.toThrow('no mount')
})

test('the uptime is read in seconds', async () => {
  expect(await readUptime(node())).toBe(350_735.47)
  for (const text of ['', 'soon\n', '-1.00 0.00\n', '1e9 1.00\n']) {
    await expect(readUptime(node({ 'proc/uptime': text })), text).rejects.toThrow('/proc/uptime has an unexpected format')
  }
})
