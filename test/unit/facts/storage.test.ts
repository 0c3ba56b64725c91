import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { detectHostPaths } from '../../../src/facts/host-paths.ts'
import { rootByMounts } from '../../../src/facts/kubelet-root.ts'
import { mountHolding, parseMountInfo } from '../../../src/facts/mounts.ts'
import { detectStorage } from '../../../src/facts/storage.ts'
import { detectSysboxStorage } from '../../../src/facts/sysbox-storage.ts'
import { detectVarLib } from '../../../src/facts/var-lib.ts'
import { endless, everyParsed, garbage } from './garbage.ts'
import { type Answer, type Answers, detect, hostWith } from './replay.ts'

const ROOT = '25 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw,discard\n'
const TABLE = `${ROOT}26 25 0:23 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
27 25 0:24 / /sys rw - sysfs sysfs rw
31 25 259:3 / /var rw,relatime - xfs /dev/nvme1n1 rw,attr2
40 31 0:50 / /var/lib/kubelet/pods/7b3c1e2a-90ab-4cde-8f01-23456789abcd/volumes/x rw - tmpfs tmpfs rw,size=1k
`

describe('a line of mountinfo', () => {
  test.each([
    ['36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue', '/mnt2', 'ext3', false, false],
    [ROOT.trim(), '/', 'ext4', false, false],
    ['1 2 0:3 / /a ro,noexec - overlay overlay rw,lowerdir=/x', '/a', 'overlay', true, true],
    ['1 2 0:3 / /a rw - ext4 /dev/x ro', '/a', 'ext4', true, false],
    ['1 2 0:3 / /a rw shared:3 master:4 propagate_from:5 unbindable - nfs4 10.0.0.1:/x rw,vers=4.2', '/a', 'nfs4', false, false],
    ['1 2 0:3 / /a rw - tmpfs  rw', '/a', 'tmpfs', false, false],
    ['1 2 0:3 / /a rw - ext4 /dev/x', '/a', 'ext4', false, false],
    ['1 2 0:3 / /a rw - fuse.lxcfs lxcfs rw,user_id=0', '/a', 'fuse.lxcfs', false, false],
    ['1 2 0:3 / /a rw - btrfs /dev/x rw,subvol=/@,rox', '/a', 'btrfs', false, false],
    ['1 2 0:3 /sub\\040dir /with\\040space\\134x rw - ext4 /dev/x rw', '/with space\\x', 'ext4', false, false],
    ['1 2 0:3 mnt:[4026531841] /run/netns rw - nsfs nsfs rw', '/run/netns', 'nsfs', false, false]
  ])('%s', (line, mountPoint, type, readOnly, noExec) => {
    expect(parseMountInfo(`${line}\n`)).toEqual([
      { device: expect.stringMatching(/^\d+:\d+$/), root: expect.stringMatching(/./), mountPoint, type, readOnly, noExec }
    ])
  })

  test('has the device number and the mounted directory of the file system', () => {
    const line = '1 2 259:1 /lib/kubelet/pods/a\\040b/etc-hosts /etc/hosts rw - ext4 /dev/x rw\n'
    expect(parseMountInfo(line)).toMatchObject([{ device: '259:1', root: '/lib/kubelet/pods/a b/etc-hosts' }])
  })

  test.each([
    [''],
    ['36'],
    ['36 35 98:0 /mnt1 /mnt2 rw'],
    ['36 35 98:0 /mnt1 /mnt2 rw -'],
    ['36 35 98:0 /mnt1 /mnt2 rw - '],
    ['36 35 98:0 /mnt1 mnt2 rw - ext4 x rw'],
    ['36 35 98 /mnt1 /mnt2 rw - ext4 x rw'],
    ['a 35 98:0 / / rw - ext4 x rw'],
    ['36 35 98:0 / / rw - ext4 x rw more'],
    ['36 35 98:0 / / rw ext4 x rw']
  ])('that is %j makes the whole table unknown', line => {
    expect(parseMountInfo(`${ROOT}${line}\n${ROOT}`)).toBeUndefined()
  })

  test('is never parsed in part: any bytes give mounts with absolute paths, or nothing', () => {
    const mountsIn = (text: string) => {
      const mounts = parseMountInfo(text)
      return mounts?.length === 0 ? undefined : mounts
    }
    everyParsed(garbage(TABLE, ROOT), mountsIn, mounts => {
      for (const mount of mounts) {
        expect(mount.mountPoint.startsWith('/')).toBe(true)
        expect(mount.type).not.toBe('')
      }
    })
  })

  test.each([
    [endless('a', '1 2 0:1 / /a rw - ext4 ', ' b c\n')],
    [endless('a:1 ', '1 2 0:1 / /a rw ', 'x\n')],
    [endless(' a', '1 2 0:1 / /a rw', '\n')],
    [endless(' - ', '1 2 0:1 / /a rw', '\n')],
    [endless('1', '', '\n')],
    [endless('1 2 0:1 ', '', '\n')],
    [endless('\\040', '1 2 0:1 / /', '\n')],
    [endless('x\n')]
  ])('of 1 MB is judged like any other (%#)', text => {
    expect(parseMountInfo(text)).toBeUndefined()
  })
})

describe('the mount that holds a path', () => {
  const at = (path: string, table = TABLE) => mountHolding(parseMountInfo(table) ?? [], path)

  test.each([
    ['/', '/', 'ext4'],
    ['/usr/src', '/', 'ext4'],
    ['/var', '/var', 'xfs'],
    ['/var/lib/kubelet', '/var', 'xfs'],
    ['/variable', '/', 'ext4'],
    ['/sys/fs', '/sys', 'sysfs']
  ])('%s is %s, of type %s', (path, mountPoint, type) => {
    expect(at(path)).toMatchObject({ mountPoint, type })
  })

  test('is the last of several on one mount point, which covers the others', () => {
    expect(at('/var/lib', `${TABLE}50 31 0:9 / /var rw - nfs4 a:/b rw\n`)).toMatchObject({ type: 'nfs4' })
  })

  test('is undefined in an empty table', () => {
    expect(mountHolding([], '/')).toBeUndefined()
  })

  test('is the longest mount point above it, for any mounts', () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 4 }).map(parts => `/${parts.join('/')}`)
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), path, (points, asked) => {
        const mounts = points.map(mountPoint => ({ mountPoint }))
        const above = points.filter(point => `${asked}/`.startsWith(point === '/' ? '/' : `${point}/`))
        const longest = above.toSorted((a, b) => b.length - a.length)[0]
        expect(mountHolding(mounts, asked)?.mountPoint).toBe(longest)
      })
    )
  })
})

describe('the kubelet’s storage', () => {
  const node: Answers = {
    '/var/lib/kubelet': [],
    '/var/lib/kubelet/pods': ['a'],
    '/proc/1/mountinfo': TABLE,
    '/proc/self/mountinfo': undefined
  }

  test('is that of the kubelet’s root', async () => {
    expect(await detect(detectStorage, node)).toEqual({
      value: {
        path: '/var/lib/kubelet',
        device: '259:3',
        mountPoint: '/var',
        type: 'xfs',
        readOnly: false,
        noExec: false,
        free: 100e9,
        total: 200e9
      }
    })
  })

  test('is found through links, and in the directories of microk8s and k0s', async () => {
    const linked: Answers = { ...node, '/var/lib/kubelet': { link: '/mnt/kubelet' }, '/mnt/kubelet': [] }
    expect(await detect(detectStorage, linked)).toMatchObject({ value: { path: '/mnt/kubelet', mountPoint: '/' } })
    const path = '/var/snap/microk8s/common/var/lib/kubelet'
    const elsewhere: Answers = { ...node, '/var/lib/kubelet': undefined, [path]: [], [`${path}/pods`]: { error: 'EACCES' } }
    expect(await detect(detectStorage, elsewhere)).toMatchObject({ value: { path } })
  })

  test('is that of the parent directory if there is no kubelet yet', async () => {
    const answers: Answers = {
      ...node,
      '/var/lib/kubelet': undefined,
      '/var/snap/microk8s/common/var/lib/kubelet': undefined,
      '/var/lib/k0s/kubelet': undefined,
      '/var/lib': []
    }
    expect(await detect(detectStorage, answers)).toMatchObject({ value: { path: '/var/lib', type: 'xfs' } })
  })

  test('is unknown if it is removed while it is read', async () => {
    const host = { ...hostWith(node), statfs: async () => undefined }
    expect(await detect(detectStorage, {}, { host })).toEqual({
      unsure: expect.stringContaining('was removed while it was read')
    })
  })

  test.each<[string, Answers]>([
    ['no mount table', { '/proc/1/mountinfo': undefined }],
    ['a closed mount table', { '/proc/1/mountinfo': { error: 'EACCES' } }],
    ['a mount table that is cut short', { '/proc/1/mountinfo': TABLE.slice(0, -9) }],
    ['a mount table with a strange line', { '/proc/1/mountinfo': `${TABLE}x\n` }],
    ['an empty mount table', { '/proc/1/mountinfo': '' }],
    ['a closed directory', { '/var/lib/kubelet': { error: 'EACCES' } }]
  ])('is unknown with %s', async (_, answers) => {
    expect(await detect(detectStorage, { ...node, ...answers })).toHaveProperty('unsure')
  })
})

/** A line for a token of a pod below a kubelet's root. */
const token = (root: string, name = 'kube-api-access-x') =>
  `60 25 0:60 / ${root}/pods/7b3c1e2a-90ab-4cde-8f01-23456789abcd/volumes/kubernetes.io~projected/${name} rw - tmpfs tmpfs rw\n`

describe('the kubelet’s root', () => {
  const node: Answers = {
    '/var/lib/kubelet': [],
    '/var/lib/kubelet/pods': [],
    '/data/kubelet': [],
    '/var/lib/k0s/kubelet': [],
    '/proc/1/mountinfo': TABLE,
    '/proc/self/mountinfo': undefined
  }
  const found = (answers: Answers, kubeletRoot = '') => detect(detectStorage, { ...node, ...answers }, { kubeletRoot })

  test('is where the mounts show volumes of pods, even if the default directory exists', async () => {
    const disk = '32 25 8:17 / /data rw - zfs tank/data rw\n'
    expect(await found({ '/proc/1/mountinfo': `${TABLE}${disk}${token('/data/kubelet')}` })).toMatchObject({
      value: { path: '/data/kubelet', type: 'zfs' }
    })
  })

  test('is the one that the operator set', async () => {
    expect(await found({ '/proc/1/mountinfo': `${TABLE}${token('/data/kubelet')}` }, '/var/lib/k0s/kubelet')).toMatchObject({
      value: { path: '/var/lib/k0s/kubelet', type: 'xfs' }
    })
  })

  test('is the one with the most pods, and unknown if two have as many', () => {
    const rootOf = (...lines: readonly string[]) => rootByMounts(parseMountInfo(lines.join('')) ?? [])
    expect(rootOf(token('/a'), token('/b'), token('/b', 'y'))).toBe('/b')
    expect(rootOf(TABLE)).toBeUndefined()
    expect(() => rootOf(token('/a'), token('/b'))).toThrow(
      "/a and /b both hold volumes of pods; set the kubelet's root with --kubelet-root"
    )
  })

  test('without such mounts is the first default directory that has pods, or that cannot be listed', async () => {
    const k0s: Answers = { '/var/snap/microk8s/common/var/lib/kubelet': undefined, '/var/lib/k0s/kubelet/pods': ['a'] }
    expect(await found(k0s)).toMatchObject({ value: { path: '/var/lib/k0s/kubelet' } })
    expect(await found({ ...k0s, '/var/lib/kubelet/pods': { error: 'EACCES' } })).toMatchObject({
      value: { path: '/var/lib/kubelet' }
    })
    expect(await found({ ...k0s, '/var/lib/k0s/kubelet/pods': undefined })).toMatchObject({ value: { path: '/var/lib/kubelet' } })
  })

  // As a pod sees them whose host root is /host.
  const POD = `70 69 0:70 / / ro - overlay overlay ro
71 70 0:71 / /proc rw - proc proc rw
72 70 0:72 / /sys ro - sysfs sysfs ro
73 70 259:3 /lib/kubelet/pods/7b3c1e2a-90ab-4cde-8f01-23456789abcd/etc-hosts /etc/hosts rw - xfs /dev/nvme1n1 rw
80 70 259:1 / /host ro - ext4 /dev/root rw
81 80 0:23 / /host/proc rw - proc proc rw
82 80 0:24 / /host/sys rw - sysfs sysfs rw
83 80 259:3 / /host/var rw - xfs /dev/nvme1n1 rw
84 83 0:60 / /host/var/lib/kubelet/pods/7b3c1e2a-90ab-4cde-8f01-23456789abcd/volumes/kubernetes.io~projected/t rw - tmpfs tmpfs rw
`

  test.each<[string, Answers]>([
    ['is hidden', { '/proc/1/mountinfo': undefined }],
    ['may not be read', { '/proc/1/mountinfo': { error: 'EACCES' } }]
  ])('is found in the pod’s own mounts if the table of process 1 %s', async (_, answers) => {
    expect(await found({ ...answers, '/proc/self/mountinfo': POD })).toMatchObject({
      value: { path: '/var/lib/kubelet', mountPoint: '/var', type: 'xfs', device: '259:3' }
    })
  })

  test('is unknown if the agent’s own pod is on another file system', async () => {
    const table = `${TABLE}32 25 8:17 / /data rw - ext4 /dev/sdb1 rw\n${token('/data/kubelet')}`
    expect(await found({ '/proc/1/mountinfo': table, '/proc/self/mountinfo': POD })).toEqual({
      unsure:
        "/data/kubelet is on ext4 (8:17), but this pod's own /etc/hosts is on xfs (259:3); set the kubelet's root with --kubelet-root"
    })
    expect(
      await found({ '/proc/1/mountinfo': `${TABLE}${token('/var/lib/kubelet')}`, '/proc/self/mountinfo': POD })
    ).toHaveProperty('value')
  })
})

describe('the host paths', () => {
  const node: Answers = { '/usr/src': [], '/lib/modules': [], '/proc/1/mountinfo': TABLE }

  test.each<[string, Answers, object]>([
    ['there', {}, { '/usr/src': { exists: true, parentWritable: true } }],
    ['to be created', { '/usr/src': undefined, '/usr': [] }, { '/usr/src': { exists: false, parentWritable: true } }],
    [
      'not to be created on a read-only image',
      { '/usr/src': undefined, '/usr': [], '/proc/1/mountinfo': `${ROOT.replace('rw,relatime', 'ro')}` },
      { '/usr/src': { exists: false, parentWritable: false } }
    ],
    ['a file in a directory’s place', { '/usr/src': 'text' }, { '/usr/src': { exists: false, parentWritable: false } }]
  ])('are %s', async (_, answers, value) => {
    expect(await detect(detectHostPaths, { ...node, ...answers })).toEqual({ value: expect.objectContaining(value) })
  })
})

describe('the roots of kubelets', () => {
  const roots = ['/var/lib/kubelet', '/var/snap/microk8s/common/var/lib/kubelet', '/var/lib/k0s/kubelet']

  test.each(roots)('%s is the kubelet’s if the ones before it do not exist', async root => {
    const answers: Answers = {
      ...Object.fromEntries(roots.map(path => [path, undefined])),
      [root]: [],
      [`${root}/pods`]: undefined,
      '/proc/1/mountinfo': TABLE,
      '/proc/self/mountinfo': undefined
    }
    expect(await detect(detectStorage, answers)).toMatchObject({ value: { path: root } })
  })

  test('the first of several is used', async () => {
    const answers: Answers = {
      ...Object.fromEntries(roots.flatMap(path => [[path, []] as const, [`${path}/pods`, undefined] as const])),
      '/proc/1/mountinfo': TABLE,
      '/proc/self/mountinfo': undefined
    }
    expect(await detect(detectStorage, answers)).toMatchObject({ value: { path: '/var/lib/kubelet' } })
  })
})

describe("the directory of Sysbox's data", () => {
  const space = { free: 1, total: 2 }
  const DIRECTORIES = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']
  const programs = (runc: Answer): Answers =>
    Object.fromEntries(
      ['/usr/bin', '/opt/bin', '/usr/local/sbin'].flatMap(directory =>
        ['runc', 'mgr', 'fs'].map(name => [
          `${directory}/sysbox-${name}`,
          directory === '/usr/bin' && name === 'runc' ? runc : undefined
        ])
      )
    )
  const units = (texts: Readonly<Record<string, string>>): Answers => ({
    ...Object.fromEntries(
      DIRECTORIES.flatMap(directory => [
        [`${directory}/sysbox-mgr.service`, undefined],
        [`${directory}/sysbox-mgr.service.d`, undefined]
      ])
    ),
    ...texts
  })
  const installed: Answers = { ...programs([]), ...units({}), '/proc/1/mountinfo': TABLE, '/var/lib/sysbox': { space } }

  test('has the mount and the space of its own', async () => {
    expect(await detect(detectSysboxStorage, installed)).toMatchObject({
      value: { path: '/var/lib/sysbox', mountPoint: '/var', free: 1 }
    })
    const answers: Answers = { '/var/lib': { space }, '/proc/1/mountinfo': TABLE }
    expect(await detect(detectVarLib, answers)).toMatchObject({ value: { path: '/var/lib', mountPoint: '/var', total: 2 } })
  })

  test('is in /var/lib or its parent if Sysbox is not installed', async () => {
    const none = {
      ...programs(undefined),
      '/usr': [],
      '/var/lib': undefined,
      '/var': undefined,
      '/proc/1/mountinfo': TABLE,
      '/': []
    }
    expect(await detect(detectSysboxStorage, none)).toMatchObject({ value: { path: '/', type: 'ext4' } })
  })

  const [ETC, USR] = DIRECTORIES.map(directory => `${directory}/sysbox-mgr.service`) as [string, string]
  const start = (options: string) => `[Service]\nType=notify\nExecStart=/usr/bin/sysbox-mgr ${options}\n`
  test.each([
    ['/data/a', { [USR]: start('--data-root=/data/a') }],
    ['/data/a', { [USR]: start('-data-root /data/a --log /x') }],
    ['/data/a', { [USR]: start('--log /x \\\n  --data-root "/data/a"') }],
    ['/data/a', { [ETC]: start('--data-root=/data/a'), [USR]: start('--data-root=/data/b') }],
    ['/var/lib/sysbox', { [ETC]: start('--log /x'), [USR]: start('--data-root=/data/b') }],
    [
      '/data/c',
      {
        [USR]: start('--data-root=/data/a'),
        [`${ETC}.d`]: 'override.conf',
        [`${ETC}.d/override.conf`]: start('--data-root /data/c')
      }
    ],
    [
      '/var/lib/sysbox',
      { [USR]: '# ExecStart=/usr/bin/sysbox-mgr --data-root=/data/a\n[Service]\nExecStart=/usr/bin/sysbox-mgr\n' }
    ]
  ] as const)('is %s by %j', async (path, texts) => {
    const listed = Object.fromEntries(
      Object.entries(texts).map(([file, text]) => [file, file.endsWith('.d') ? [text] : text])
    ) as Answers
    const answers: Answers = { ...installed, ...units({}), ...listed, [path]: { space } }
    expect(await detect(detectSysboxStorage, answers)).toMatchObject({ value: { path } })
  })

  test.each(['--data-root=$ROOT', '--data-root=%S/x', '--data-root=data', '--data-root="/a\'b"'])(
    'is unknown by %s',
    async options => {
      expect(await detect(detectSysboxStorage, { ...installed, ...units({ [USR]: start(options) }) })).toEqual({
        unsure: expect.stringMatching(/^sysbox-mgr\.service has --data-root .*, which is not a plain path$/)
      })
    }
  )

  test.each(['[Service]\n', 'garbage\n', '[Service]\nExecStart=/usr/bin/sysbox-mgr'])(
    'is unknown where the unit is %j',
    async text => {
      expect(await detect(detectSysboxStorage, { ...installed, [USR]: text })).toHaveProperty('unsure')
    }
  )

  test.each([USR, `${ETC}.d`])('is unknown if %s cannot be read', async path => {
    expect(await detect(detectSysboxStorage, { ...installed, [path]: { error: 'EIO' } })).toHaveProperty('unsure')
  })
})

test('the two host paths are read independently', async () => {
  const answers: Answers = { '/usr/src': [], '/lib/modules': undefined, '/lib': [], '/proc/1/mountinfo': TABLE }
  expect(await detect(detectHostPaths, answers)).toEqual({
    value: { '/usr/src': { exists: true, parentWritable: true }, '/lib/modules': { exists: false, parentWritable: true } }
  })
})
