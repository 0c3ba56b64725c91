import { describe, expect, test } from 'vitest'
import { detectKernelModules } from '../../../../src/facts/kernel-modules/detect.ts'
import { MODULE_NAMES, type ModuleName } from '../../../../src/facts/kernel-modules/names.ts'
import { type Answers, detect } from '../replay.ts'

const DIRECTORY = '/lib/modules/6.8.0-45-generic'

/** Ubuntu 24.04 with nothing loaded but veth, and everything on the disk but shiftfs. */
const NODE: Answers = {
  '/proc/sys/kernel/osrelease': '6.8.0-45-generic\n',
  '/proc/sys/kernel/modules_disabled': '0\n',
  '/proc/cmdline': 'BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro\n',
  '/proc/modules': 'veth 32768 0 - Live 0x0000000000000000\nnfnetlink 20480 3 nf_tables, Live 0x0000000000000000\n',
  '/proc/filesystems': 'nodev\tsysfs\n\text4\n\tfuseblk\nnodev\tfuse\n',
  [`${DIRECTORY}/modules.builtin`]: 'kernel/fs/overlayfs/overlay.ko\nkernel/lib/crc16.ko\n',
  [`${DIRECTORY}/modules.dep`]:
    'kernel/net/bridge/bridge.ko.zst: kernel/net/802/stp.ko.zst\nkernel/net/netfilter/nf_conntrack.ko.zst:\nkernel/net/netfilter/nf_tables.ko.zst: kernel/net/netfilter/nfnetlink.ko.zst\nkernel/net/ipv4/netfilter/ip_tables.ko.zst: kernel/net/netfilter/x_tables.ko.zst\nkernel/net/netfilter/xt_addrtype.ko.zst: kernel/net/netfilter/x_tables.ko.zst\n',
  '/etc/modprobe.d': ['blacklist.conf', 'README'],
  '/etc/modprobe.d/blacklist.conf': '# of the distribution\nblacklist pcspkr\n',
  '/run/modprobe.d': undefined,
  '/usr/local/lib/modprobe.d': undefined,
  '/lib/modprobe.d': { link: '/usr/lib/modprobe.d' },
  '/usr/lib/modprobe.d': ['aliases.conf'],
  '/usr/lib/modprobe.d/aliases.conf': 'alias char-major-10-229 fuse\noptions nf_conntrack hashsize=65536\n',
  ...Object.fromEntries(MODULE_NAMES.map(name => [`/sys/module/${name}`, undefined])),
  '/sys/module/veth': ['refcnt']
}

const statesOf = async (changes: Answers = {}): Promise<Partial<Record<ModuleName, string>> | string> => {
  const found = await detect(detectKernelModules, { ...NODE, ...changes })
  if ('unsure' in found) return found.unsure
  return Object.fromEntries(MODULE_NAMES.map(name => [name, found.value.modules[name].state]))
}

describe('the modules of a node', () => {
  test('are found loaded, registered, built in, on the disk, or nowhere', async () => {
    expect(await statesOf()).toEqual({
      bridge: 'loadable',
      fuse: 'present',
      ip_tables: 'loadable',
      nf_conntrack: 'loadable',
      nf_tables: 'loadable',
      overlay: 'present',
      shiftfs: 'absent',
      veth: 'present',
      xt_addrtype: 'loadable',
      iptable_filter: 'absent',
      iptable_nat: 'absent',
      iptable_raw: 'absent',
      nft_chain_nat: 'absent',
      nft_compat: 'absent',
      xt_MASQUERADE: 'absent',
      xt_conntrack: 'absent',
      xt_nat: 'absent',
      xt_tcpudp: 'absent'
    })
  })

  test.each<[string, Answers, Partial<Record<ModuleName, string>>]>([
    [
      'a file of /etc that forbids',
      { '/etc/modprobe.d/blacklist.conf': 'install bridge /bin/false\n' },
      { bridge: 'blocked', nf_tables: 'loadable' }
    ],
    ['a file of /usr that forbids', { '/usr/lib/modprobe.d/aliases.conf': 'install bridge /bin/true\n' }, { bridge: 'blocked' }],
    [
      'a file of /etc that hides one of /usr',
      {
        '/etc/modprobe.d': ['aliases.conf'],
        '/etc/modprobe.d/aliases.conf': '# nothing\n',
        '/usr/lib/modprobe.d/aliases.conf': 'install bridge /bin/true\n'
      },
      { bridge: 'loadable' }
    ],
    [
      'the first of two by the names of their files, wherever they lie',
      {
        '/etc/modprobe.d': ['zz.conf'],
        '/etc/modprobe.d/zz.conf': 'install bridge /sbin/modprobe -i bridge\n',
        '/usr/lib/modprobe.d': ['aa.conf'],
        '/usr/lib/modprobe.d/aa.conf': 'install bridge /bin/false\n'
      },
      { bridge: 'blocked' }
    ],
    ['a bare blacklist', { '/etc/modprobe.d/blacklist.conf': 'blacklist bridge\n' }, { bridge: 'blocked' }],
    [
      'an install line for what two of them need',
      { '/etc/modprobe.d/blacklist.conf': 'install x_tables /bin/false\n' },
      { ip_tables: 'blocked', xt_addrtype: 'blocked', bridge: 'loadable' }
    ],
    [
      'an install line for what is loaded already',
      { '/etc/modprobe.d/blacklist.conf': 'install nfnetlink /bin/false\n' },
      { nf_tables: 'loadable' }
    ],
    [
      'a file of /usr/local/lib that forbids',
      { '/usr/local/lib/modprobe.d': ['x.conf'], '/usr/local/lib/modprobe.d/x.conf': 'install bridge exit 1\n' },
      { bridge: 'blocked' }
    ],
    [
      'an empty file of /run that switches off one of /usr',
      {
        '/run/modprobe.d': ['aliases.conf'],
        '/run/modprobe.d/aliases.conf': '',
        '/usr/lib/modprobe.d/aliases.conf': 'install bridge /bin/true\n'
      },
      { bridge: 'loadable' }
    ],
    ['an empty file that switches off nothing', { '/etc/modprobe.d/blacklist.conf': '' }, { bridge: 'unknown', veth: 'present' }],
    [
      'a file that is no configuration by its name',
      { '/etc/modprobe.d': ['hardening'], '/etc/modprobe.d/hardening': 'install bridge /bin/false\n' },
      { bridge: 'loadable' }
    ],
    [
      'the kernel’s own blacklist',
      { '/proc/cmdline': 'ro module_blacklist=bridge,nf-tables\n' },
      { bridge: 'blocked', nf_tables: 'blocked', ip_tables: 'loadable' }
    ],
    [
      'modules_disabled',
      { '/proc/sys/kernel/modules_disabled': '1\n' },
      { bridge: 'blocked', veth: 'present', overlay: 'present' }
    ],
    ['no modules.dep', { [`${DIRECTORY}/modules.dep`]: undefined }, { bridge: 'unknown', shiftfs: 'unknown', veth: 'present' }],
    [
      'a modules.dep that is cut short',
      { [`${DIRECTORY}/modules.dep`]: 'kernel/net/bridge/bridge.ko.zst: kern' },
      { bridge: 'unknown' }
    ],
    ['a closed modules.dep', { [`${DIRECTORY}/modules.dep`]: { error: 'EACCES' } }, { bridge: 'unknown', veth: 'present' }],
    [
      'a closed modules.builtin',
      { [`${DIRECTORY}/modules.builtin`]: { error: 'EACCES' } },
      { bridge: 'loadable', veth: 'present', shiftfs: 'unknown' }
    ],
    ['no modules.builtin', { [`${DIRECTORY}/modules.builtin`]: undefined }, { bridge: 'loadable', shiftfs: 'unknown' }],
    ['a closed /etc/modprobe.d', { '/etc/modprobe.d': { error: 'EACCES' } }, { bridge: 'unknown', veth: 'present' }],
    ['a closed rule', { '/usr/lib/modprobe.d/aliases.conf': { error: 'EACCES' } }, { bridge: 'unknown' }],
    ['a rule that is cut short', { '/usr/lib/modprobe.d/aliases.conf': 'install bridge /bin/fal' }, { bridge: 'unknown' }],
    ['a closed switch', { '/proc/sys/kernel/modules_disabled': { error: 'EACCES' } }, { bridge: 'unknown', veth: 'present' }],
    ['a closed command line', { '/proc/cmdline': { error: 'EACCES' } }, { bridge: 'unknown' }],
    ['nothing in /proc/modules', { '/proc/modules': '', '/sys/module/veth': undefined }, { veth: 'absent' }]
  ])('with %s have the expected states', async (_, changes, expected) => {
    expect(await statesOf(changes)).toMatchObject(expected)
  })

  test('of a kernel without loadable modules are the built-in ones', async () => {
    const changes = { '/proc/modules': undefined, '/proc/sys/kernel/modules_disabled': undefined, '/sys/module/veth': undefined }
    expect(await statesOf(changes)).toMatchObject({ fuse: 'present', overlay: 'present', veth: 'absent', bridge: 'absent' })
  })

  test.each<[string, Answers]>([
    ['a closed /proc/modules', { '/proc/modules': { error: 'EACCES' } }],
    ['a garbled /proc/modules', { '/proc/modules': 'veth x\n' }],
    ['a /proc/modules that is cut short', { '/proc/modules': 'veth 32768 0 - Live 0x' }],
    ['closed file systems', { '/proc/filesystems': { error: 'EACCES' } }],
    ['a closed /sys/module', { '/sys/module/fuse': { error: 'EACCES' } }],
    ['no kernel', { '/proc/sys/kernel/osrelease': undefined }],
    ['no /proc', { '/proc/sys/kernel': undefined }],
    ['no /sys', { '/sys/kernel': undefined }]
  ])('are all unknown with %s', async (_, changes) => {
    expect(typeof (await statesOf(changes))).toBe('string')
  })

  test('distinguish a self-built shiftfs from the kernel’s own', async () => {
    const dep = (path: string) => ({ [`${DIRECTORY}/modules.dep`]: `${path}:\n` })
    expect(await detect(detectKernelModules, { ...NODE, ...dep('updates/dkms/shiftfs.ko') })).toMatchObject({
      value: { shiftfs: { outOfTree: true, registered: false } }
    })
    expect(await detect(detectKernelModules, { ...NODE, ...dep('kernel/fs/shiftfs.ko.zst') })).toMatchObject({
      value: { shiftfs: { outOfTree: false } }
    })
    const loaded = { '/proc/modules': 'shiftfs 32768 0 - Live 0x0000000000000000 (OE)\n' }
    expect(await detect(detectKernelModules, { ...NODE, ...loaded })).toMatchObject({
      value: { shiftfs: { outOfTree: true, registered: true } }
    })
  })
})

test('a built-in shiftfs is the kernel’s own, although it has no file', async () => {
  const builtin = { [`${DIRECTORY}/modules.builtin`]: 'kernel/fs/shiftfs.ko\n' }
  expect(await detect(detectKernelModules, { ...NODE, ...builtin })).toMatchObject({ value: { shiftfs: { outOfTree: false } } })
})

test('of two rules the one in the file with the first name counts, in any folder', async () => {
  const files = (etc: string, usr: string): Answers => ({
    '/etc/modprobe.d': [etc],
    [`/etc/modprobe.d/${etc}`]: 'install bridge /bin/false\n',
    '/usr/lib/modprobe.d': [usr],
    [`/usr/lib/modprobe.d/${usr}`]: 'install bridge /sbin/modprobe -i bridge\n'
  })
  expect(await statesOf(files('aa.conf', 'zz.conf'))).toMatchObject({ bridge: 'blocked' })
  expect(await statesOf(files('zz.conf', 'aa.conf'))).toMatchObject({ bridge: 'unknown' })
})
