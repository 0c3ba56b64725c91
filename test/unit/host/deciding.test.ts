import { describe, expect, test } from 'vitest'
import { parseAllowedDevices } from '../../../src/facts/crio.ts'
import { parseModprobeRules } from '../../../src/facts/kernel-modules/modprobe.ts'
import { parseMountInfo } from '../../../src/facts/mounts.ts'
import { observe } from '../../../src/facts/observe.ts'
import { writeRecording } from '../../../src/host/recorded.ts'
import { trim } from '../../../src/host/scrub.ts'
import { witness } from '../../../src/host/witness.ts'
import { machines } from '../../nodes/machines.ts'
import { type Machine, playedHost } from '../../nodes/played.ts'

const MOUNTS = '/proc/1/mountinfo'
const MODPROBE = '/etc/modprobe.d/site.conf'
const CRIO = '/etc/crio/crio.conf.d/10-site.conf'

/** Each holds words that begin with SECRET, where people have written them. */
const TEXTS: Readonly<Record<string, string>> = {
  [MOUNTS]: [
    '22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw,data=SECRET1',
    '23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:2 - proc proc rw',
    '24 22 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:3 - sysfs sysfs rw',
    '30 22 0:40 /SECRET2/exports /var/lib/kubelet rw shared:9 - nfs4 SECRET3.corp.example:/SECRET4 ro,addr=10.0.0.9,sec=krb5',
    '31 22 0:41 / /net/SECRET5/share rw - cifs //SECRET6/share rw,username=SECRET7,domain=SECRET8,credentials=/root/SECRET9',
    '32 22 0:42 / /home/SECRET10 rw - fuse.sshfs SECRET11@SECRET12:/home rw,user_id=0',
    '33 22 253:0 / /var/lib rw - xfs /dev/mapper/SECRET13-root rw',
    ''
  ].join('\n'),
  [MODPROBE]: [
    '# SECRET14 <SECRET15@corp.example> added this',
    'options iwlwifi key=SECRET16',
    'blacklist fuse # SECRET17 asked for it',
    'install overlay /bin/false # SECRET18',
    'alias net-pf-10 off',
    'softdep a pre: SECRET19',
    ''
  ].join('\n'),
  [CRIO]: '[crio.runtime]\ndefault_env = ["PROXY=http://SECRET20@proxy"] # SECRET21\nallowed_devices = ["/dev/fuse"]\n',
  '/etc/apparmor.d/fusermount3':
    '# SECRET22\nprofile fusermount3 /usr/bin/fusermount3 flags=(complain) {\n  mount -> /home/SECRET23/**,\n}\n',
  '/proc/cmdline': 'root=/dev/sda1 ds=nocloud;s=http://SECRET24/ lockdown=none key=AKIAIOSFODNN7EXAMPLE\n'
}

test('recordings and evidence of these files contain no secret, and give the same facts as the node', async () => {
  const machine = machines['debian-12-headers'] as Machine
  const node = playedHost({ ...machine, tree: { ...machine.tree, ...TEXTS, '/etc/crio': '' } })
  const eyes = witness({ ...node, read: async path => TEXTS[path] ?? (await node.read(path)) })
  const { facts } = await observe({ host: eyes.host, node: undefined, podSecurity: undefined }, () => 0)
  for (const path of Object.keys(TEXTS)) await eyes.host.read(path)
  expect(eyes.testimony().filter(({ answer }) => String(answer).includes('SECRET')).length).toBeGreaterThanOrEqual(5)
  for (const told of [
    writeRecording(eyes.testimony(), []),
    JSON.stringify(Object.values(facts).map(({ evidence }) => evidence))
  ]) {
    expect(told.match(/SECRET\d+|AKIA\w+|corp\.example/g)).toBe(null)
  }
})

test('a remote mount point keeps its name if it holds a path on which a fact rests', () => {
  const line = '30 22 0:40 /exports /mnt/data rw - nfs4 server:/exports rw\n'
  expect(trim(MOUNTS, line, ['/mnt/data/sysbox'])).toBe('30 22 0:40 / /mnt/data rw - nfs4 none rw\n')
  expect(trim(MOUNTS, line, ['/mnt/database'])).toBe('30 22 0:40 / /mnt/elsewhere rw - nfs4 none rw\n')
})

describe('a reduced text keeps', () => {
  const deciding = (path: string) => trim(path, TEXTS[path]) as string

  test('the place and type of a mount, and whether it is read-only', () => {
    const before = parseMountInfo(TEXTS[MOUNTS] ?? '')
    const place = '/net/elsewhere'
    expect(parseMountInfo(deciding(MOUNTS))).toEqual(
      before?.map(mount =>
        mount.type === 'nfs4' ? { ...mount, root: '/' } : mount.type === 'cifs' ? { ...mount, mountPoint: place } : mount
      )
    )
  })

  test('that a mount table has a line with another format', () => {
    expect(parseMountInfo(trim(MOUNTS, '22 1 259:1 / / rw - ext4 /dev/a rw\nhalf a line SECRET\n') as string)).toBeUndefined()
    expect(trim(MOUNTS, 'half a line SECRET\n')).not.toContain('SECRET')
    expect(trim(MOUNTS, '22 1 259:1 / / rw - ext4 /dev/a rw')).not.toMatch(/\n$/)
  })

  test('which modules modprobe blocks', () => {
    const rules = parseModprobeRules([[MODPROBE, deciding(MODPROBE)]])
    expect(rules).toEqual({
      install: [{ name: 'overlay', command: '/bin/false', file: MODPROBE }],
      blacklist: new Map([['fuse', MODPROBE]]),
      off: new Map([['net_pf_10', MODPROBE]])
    })
  })

  test.each([
    ['comments alone', '# SECRET\n\n', /^#/],
    ['nothing', '', /^$/],
    ['what is no directive', 'nonsense SECRET\n', /^\?\n$/],
    ['an end inside a line', 'blacklist fu', /^blacklist fu$/]
  ])('of a modprobe file that it holds %s', (_, text, kept) => {
    expect(trim(MODPROBE, text)).toMatch(kept)
    expect(trim(MODPROBE, text)).not.toContain('SECRET')
  })

  test('the devices of CRI-O', () => {
    expect(parseAllowedDevices(deciding(CRIO))).toEqual(['/dev/fuse'])
    expect(parseAllowedDevices(trim(CRIO, '[crio]\nlog = "SECRET"\n') as string)).toBeUndefined()
    expect(() => parseAllowedDevices(trim(CRIO, 'SECRET [') as string)).toThrow()
  })
})
