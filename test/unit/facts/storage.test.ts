import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  detectHostPaths,
  detectStorage,
  detectSysboxStorage,
  detectVarLib,
  mountHolding,
  parseMountInfo
} from '../../../src/facts/storage.ts'
import { endless, everyParsed, garbage } from './garbage.ts'
import { type Answers, detect, hostWith } from './replay.ts'

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
    ['1 2 0:3 / /a rw - fuse.lxcfs lxcfs rw,user_id=0', '/a', 'fuse.lxcfs', false, false],
    ['1 2 0:3 / /a rw - btrfs /dev/x rw,subvol=/@,rox', '/a', 'btrfs', false, false],
    ['1 2 0:3 /sub\\040dir /with\\040space\\134x rw - ext4 /dev/x rw', '/with space\\x', 'ext4', false, false],
    ['1 2 0:3 mnt:[4026531841] /run/netns rw - nsfs nsfs rw', '/run/netns', 'nsfs', false, false]
  ])('%s', (line, mountPoint, type, readOnly, noExec) => {
    expect(parseMountInfo(`${line}\n`)).toEqual([{ mountPoint, type, readOnly, noExec }])
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

  test('is never half understood: any bytes give mounts with absolute points, or nothing', () => {
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

  test('is the last of equals, which lies on top', () => {
    expect(at('/var/lib', `${TABLE}50 31 0:9 / /var rw - nfs4 a:/b rw\n`)).toMatchObject({ type: 'nfs4' })
  })

  test('is nowhere in an empty table', () => {
    expect(mountHolding([], '/')).toBeUndefined()
  })

  test('is the longest of those above it, whatever the mounts are', () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 4 }).map(parts => `/${parts.join('/')}`)
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), path, (points, asked) => {
        const mounts = points.map(mountPoint => ({ mountPoint, type: 'x', readOnly: false, noExec: false }))
        const above = points.filter(point => `${asked}/`.startsWith(point === '/' ? '/' : `${point}/`))
        const longest = above.toSorted((a, b) => b.length - a.length)[0]
        expect(mountHolding(mounts, asked)?.mountPoint).toBe(longest)
      })
    )
  })
})

describe('the kubelet’s storage', () => {
  const node: Answers = { '/var/lib/kubelet': [], '/proc/1/mountinfo': TABLE }

  test('is that of the kubelet’s root', async () => {
    expect(await detect(detectStorage, node)).toEqual({
      value: {
        path: '/var/lib/kubelet',
        mountPoint: '/var',
        type: 'xfs',
        readOnly: false,
        noExec: false,
        free: 100e9,
        total: 200e9
      }
    })
  })

  test('is found where links lead, and where microk8s or k0s put it', async () => {
    const linked: Answers = { '/var/lib/kubelet': { link: '/mnt/kubelet' }, '/mnt/kubelet': [], '/proc/1/mountinfo': TABLE }
    expect(await detect(detectStorage, linked)).toMatchObject({ value: { path: '/mnt/kubelet', mountPoint: '/' } })
    const path = '/var/snap/microk8s/common/var/lib/kubelet'
    expect(await detect(detectStorage, { '/var/lib/kubelet': undefined, [path]: [], '/proc/1/mountinfo': TABLE })).toMatchObject({
      value: { path }
    })
  })

  test('is that of the directory above, where there is no kubelet yet', async () => {
    const answers: Answers = {
      '/var/lib/kubelet': undefined,
      '/var/snap/microk8s/common/var/lib/kubelet': undefined,
      '/var/lib/k0s/kubelet': undefined,
      '/var/lib': [],
      '/proc/1/mountinfo': TABLE
    }
    expect(await detect(detectStorage, answers)).toMatchObject({ value: { path: '/var/lib', type: 'xfs' } })
  })

  test('is not known when it vanishes while it is looked at', async () => {
    const host = { ...hostWith(node), statfs: async () => undefined }
    expect(await detect(detectStorage, {}, { host })).toEqual({ unsure: expect.stringContaining('vanished') })
  })

  test.each<[string, Answers]>([
    ['no mount table', { '/proc/1/mountinfo': undefined }],
    ['a closed mount table', { '/proc/1/mountinfo': { error: 'EACCES' } }],
    ['a mount table that is cut short', { '/proc/1/mountinfo': TABLE.slice(0, -9) }],
    ['a mount table with a strange line', { '/proc/1/mountinfo': `${TABLE}x\n` }],
    ['an empty mount table', { '/proc/1/mountinfo': '' }],
    ['a closed directory', { '/var/lib/kubelet': { error: 'EACCES' } }]
  ])('is not known with %s', async (_, answers) => {
    expect(await detect(detectStorage, { ...node, ...answers })).toHaveProperty('unsure')
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

  test.each(roots)('%s is the kubelet’s where the ones before it are not there', async root => {
    const answers: Answers = {
      ...Object.fromEntries(roots.map(path => [path, undefined])),
      [root]: [],
      '/proc/1/mountinfo': TABLE
    }
    expect(await detect(detectStorage, answers)).toMatchObject({ value: { path: root } })
  })

  test('the first of several counts', async () => {
    const answers: Answers = { ...Object.fromEntries(roots.map(path => [path, []])), '/proc/1/mountinfo': TABLE }
    expect(await detect(detectStorage, answers)).toMatchObject({ value: { path: '/var/lib/kubelet' } })
  })
})

test('each directory has the mount and the space of its own', async () => {
  const space = { free: 1, total: 2 }
  const answers: Answers = { '/var/lib/sysbox': { space }, '/var/lib': { space }, '/proc/1/mountinfo': TABLE }
  expect(await detect(detectSysboxStorage, answers)).toMatchObject({
    value: { path: '/var/lib/sysbox', mountPoint: '/var', free: 1 }
  })
  expect(await detect(detectVarLib, answers)).toMatchObject({ value: { path: '/var/lib', mountPoint: '/var', total: 2 } })
  const none: Answers = {
    '/var/lib/sysbox': undefined,
    '/var/lib': undefined,
    '/var': undefined,
    '/proc/1/mountinfo': TABLE,
    '/': []
  }
  expect(await detect(detectSysboxStorage, none), 'above all is the root').toMatchObject({ value: { path: '/', type: 'ext4' } })
})

test('both host paths are looked at, each by itself', async () => {
  const answers: Answers = { '/usr/src': [], '/lib/modules': undefined, '/lib': [], '/proc/1/mountinfo': TABLE }
  expect(await detect(detectHostPaths, answers)).toEqual({
    value: { '/usr/src': { exists: true, parentWritable: true }, '/lib/modules': { exists: false, parentWritable: true } }
  })
})
