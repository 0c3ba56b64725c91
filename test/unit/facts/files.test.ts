import { describe, expect, test } from 'vitest'
import { detectDistro } from '../../../src/facts/distro.ts'
import { detectHeaders } from '../../../src/facts/headers.ts'
import { detectBootId, detectKernel } from '../../../src/facts/kernel.ts'
import { detectConntrack, detectSysbox } from '../../../src/facts/sysbox.ts'
import { type Answers, detect } from './replay.ts'

describe('the kernel', () => {
  const path = '/proc/sys/kernel/osrelease'

  test('is the one that runs', async () => {
    expect(await detect(detectKernel, { [path]: '5.15.0-1084-aws\n' })).toEqual({
      value: { release: '5.15.0-1084-aws', major: 5, minor: 15 }
    })
  })

  test.each<[string, Answers[string], string]>([
    ['not there', undefined, '/proc of the node is not mounted'],
    ['cut short', '5.1', 'cut short'],
    ['empty', '', 'not a kernel release'],
    ['something else', 'Linux\n', 'not a kernel release'],
    ['closed', { error: 'EACCES' }, 'EACCES']
  ])('is not known when its file is %s', async (_, answer, why) => {
    expect(await detect(detectKernel, { [path]: answer })).toEqual({ unsure: expect.stringContaining(why) })
  })

  test.each<[Answers[string], boolean]>([
    ['7b3c1e2a-90ab-4cde-8f01-23456789abcd\n', true],
    ['7b3c1e2a-90ab-4cde-8f01-23456789abc\n', false],
    ['', false],
    [undefined, false],
    [{ error: 'EIO' }, false]
  ])('has a boot id in %j: %s', async (answer, is) => {
    const found = await detect(detectBootId, { '/proc/sys/kernel/random/boot_id': answer })
    expect('value' in found).toBe(is)
  })
})

describe('the distribution', () => {
  test('is read from /etc, and from /usr where that is not there', async () => {
    expect(await detect(detectDistro, { '/etc/os-release': 'ID=debian\n' })).toMatchObject({ value: { id: 'debian' } })
    expect(await detect(detectDistro, { '/etc/os-release': undefined, '/usr/lib/os-release': 'ID=cos\n' })).toMatchObject({
      value: { id: 'cos' }
    })
  })

  test.each<[string, Answers]>([
    ['neither is there', { '/etc/os-release': undefined, '/usr/lib/os-release': undefined }],
    ['the first is closed', { '/etc/os-release': { error: 'EACCES' }, '/usr/lib/os-release': 'ID=ubuntu\n' }],
    ['the first is a directory', { '/etc/os-release': [], '/usr/lib/os-release': 'ID=ubuntu\n' }],
    ['the first is empty', { '/etc/os-release': '', '/usr/lib/os-release': 'ID=ubuntu\n' }],
    ['the first is cut in its ID', { '/etc/os-release': 'NAME=x\nID=ubunt', '/usr/lib/os-release': 'ID=ubuntu\n' }]
  ])('is not known when %s', async (_, answers) => {
    expect(await detect(detectDistro, answers)).toHaveProperty('unsure')
  })
})

describe('the kernel headers', () => {
  const build = '/usr/src/linux-headers-5.15.0-116-generic'
  const FS = 'struct super_operations {\nstatic inline bool is_idmapped_mnt(const struct vfsmount *mnt)\nstruct renamedata {\n'
  const node: Answers = {
    '/proc/sys/kernel/osrelease': '5.15.0-116-generic\n',
    '/lib/modules/5.15.0-116-generic/build': { link: build },
    '/lib/modules/5.15.0-116-generic/source': undefined,
    [`${build}/Makefile`]: 'x',
    [`${build}/Module.symvers`]: 'x',
    [`${build}/include/generated/autoconf.h`]: 'x',
    [`${build}/scripts/basic/fixdep`]: 'x',
    [`${build}/scripts/mod/modpost`]: 'x',
    [`${build}/include/linux/fs.h`]: FS
  }

  test.each<[string, Answers, object]>([
    ['complete', {}, { directory: build, missing: [], isIdmappedMnt: true, renamedata: true }],
    ['not installed', { '/lib/modules/5.15.0-116-generic/build': undefined }, { directory: '', isIdmappedMnt: false }],
    ['without a tool', { [`${build}/scripts/mod/modpost`]: undefined }, { missing: ['scripts/mod/modpost'] }],
    ['with a directory in a file’s place', { [`${build}/Makefile`]: [] }, { missing: ['Makefile'] }],
    [
      'of an older file system',
      { [`${build}/include/linux/fs.h`]: 'struct super_operations {\n' },
      { isIdmappedMnt: false, renamedata: false }
    ],
    ['without fs.h', { [`${build}/include/linux/fs.h`]: undefined }, { missing: ['include/linux/fs.h'] }],
    [
      'in two folders, as Debian has them',
      {
        [`${build}/include/linux/fs.h`]: undefined,
        '/lib/modules/5.15.0-116-generic/source': { link: '/usr/src/linux-headers-common' },
        '/usr/src/linux-headers-common/include/linux/fs.h': FS
      },
      { missing: [], isIdmappedMnt: true }
    ]
  ])('are %s', async (_, answers, value) => {
    expect(await detect(detectHeaders, { ...node, ...answers })).toEqual({ value: expect.objectContaining(value) })
  })

  test.each<[string, Answers]>([
    ['the kernel', { '/proc/sys/kernel/osrelease': { error: 'EIO' } }],
    ['the link to them', { '/lib/modules/5.15.0-116-generic/build': { error: 'ELOOP' } }],
    ['a tool', { [`${build}/scripts/basic/fixdep`]: { error: 'EACCES' } }],
    ['fs.h', { [`${build}/include/linux/fs.h`]: { error: 'EACCES' } }],
    ['all of fs.h', { [`${build}/include/linux/fs.h`]: 'static inline bool is_idm' }],
    ['anything in fs.h', { [`${build}/include/linux/fs.h`]: '' }]
  ])('are not known where %s cannot be read', async (_, answers) => {
    expect(await detect(detectHeaders, { ...node, ...answers })).toHaveProperty('unsure')
  })
})

describe('Sysbox on the node', () => {
  const nothing: Answers = Object.fromEntries(
    ['/usr/bin', '/opt/bin', '/usr/local/sbin'].flatMap(directory =>
      ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'].map(name => [`${directory}/${name}`, undefined])
    )
  )
  const socket = { stat: { kind: 'socket', mode: 0o755, device: '' } } as const
  const running: Answers = {
    ...nothing,
    '/usr/bin/sysbox-runc': 'ELF',
    '/usr/bin/sysbox-mgr': 'ELF',
    '/usr/bin/sysbox-fs': 'ELF',
    '/run/sysbox/sysmgr.sock': socket,
    '/run/sysbox/sysfs.sock': socket,
    '/run/sysbox/sysmgr.pid': '812\n',
    '/run/sysbox/sysfs.pid': '813',
    '/proc/812/comm': 'sysbox-mgr\n',
    '/proc/813/comm': 'sysbox-fs\n'
  }

  test.each<[string, Answers, object]>([
    [
      'alive',
      {},
      { programs: ['/usr/bin/sysbox-runc', '/usr/bin/sysbox-mgr', '/usr/bin/sysbox-fs'], manager: 'alive', fs: 'alive' }
    ],
    ['without a socket', { '/run/sysbox/sysmgr.sock': undefined }, { manager: 'no socket', fs: 'alive' }],
    ['with a file for a socket', { '/run/sysbox/sysfs.sock': 'x' }, { manager: 'alive', fs: 'no socket' }],
    ['dead', { '/proc/812/comm': undefined }, { manager: 'dead' }],
    ['dead, and its number was given to another', { '/proc/813/comm': 'bash\n' }, { fs: 'dead' }],
    ['of an older release, which writes no pid', { '/run/sysbox/sysmgr.pid': undefined }, { manager: 'alive' }],
    ['in Flatcar’s place', { ...nothing, '/opt/bin/sysbox-runc': 'ELF' }, { programs: ['/opt/bin/sysbox-runc'] }]
  ])('is %s', async (_, answers, value) => {
    expect(await detect(detectSysbox, { ...running, ...answers })).toEqual({ value: expect.objectContaining(value) })
  })

  test('is not there without its programs, whatever else is', async () => {
    expect(await detect(detectSysbox, { ...nothing, '/usr': undefined })).toHaveProperty('unsure')
    expect(await detect(detectSysbox, { ...nothing, '/usr': ['bin'] })).toEqual({
      value: { programs: [], manager: 'no socket', fs: 'no socket' }
    })
  })

  test.each<[string, Answers]>([
    ['a program', { '/usr/bin/sysbox-runc': { error: 'EACCES' } }],
    ['a socket', { '/run/sysbox/sysmgr.sock': { error: 'EACCES' } }],
    ['a pid', { '/run/sysbox/sysmgr.pid': { error: 'EACCES' } }],
    ['a number in a pid', { '/run/sysbox/sysmgr.pid': '../../1\n' }],
    ['anything in a pid', { '/run/sysbox/sysmgr.pid': '' }],
    ['a process', { '/proc/812/comm': { error: 'EIO' } }]
  ])('is not known where %s cannot be read', async (_, answers) => {
    expect(await detect(detectSysbox, { ...running, ...answers })).toHaveProperty('unsure')
  })

  test('needs conntrack now', async () => {
    const path = '/sys/module/nf_conntrack/parameters'
    expect(await detect(detectConntrack, { [path]: [] })).toEqual({ value: true })
    expect(await detect(detectConntrack, { [path]: undefined })).toEqual({ value: false })
    expect(await detect(detectConntrack, { '/sys/kernel': undefined })).toHaveProperty('unsure')
  })
})

test('Sysbox’s programs are looked for in three places, and told in that order', async () => {
  const places = ['/usr/bin', '/opt/bin', '/usr/local/sbin']
  const paths = places.flatMap(place => ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'].map(name => `${place}/${name}`))
  const sockets = { '/run/sysbox/sysmgr.sock': undefined, '/run/sysbox/sysfs.sock': undefined }
  const programs = async (found: readonly string[]) =>
    await detect(detectSysbox, {
      ...sockets,
      ...Object.fromEntries(paths.map(path => [path, found.includes(path) ? 'ELF' : undefined]))
    })
  for (const path of paths) expect(await programs([path])).toMatchObject({ value: { programs: [path] } })
  expect(await programs(paths)).toMatchObject({ value: { programs: paths } })
})

test('each daemon of Sysbox is judged by its own socket, number and name', async () => {
  const paths = ['/usr/bin', '/opt/bin', '/usr/local/sbin'].flatMap(place =>
    ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'].map(name => `${place}/${name}`)
  )
  const socket = { stat: { kind: 'socket', mode: 0o755, device: '' } } as const
  const node: Answers = {
    ...Object.fromEntries(paths.map(path => [path, undefined])),
    '/usr/bin/sysbox-runc': 'ELF',
    '/run/sysbox/sysmgr.sock': socket,
    '/run/sysbox/sysfs.sock': socket,
    '/run/sysbox/sysmgr.pid': '7\n',
    '/run/sysbox/sysfs.pid': '123456789 \n',
    '/proc/7/comm': 'sysbox-mgr\n',
    '/proc/123456789/comm': 'sysbox-fs\n'
  }
  expect(await detect(detectSysbox, node)).toMatchObject({ value: { manager: 'alive', fs: 'alive' } })
  expect(await detect(detectSysbox, { ...node, '/proc/7/comm': 'sysbox-fs\n' })).toMatchObject({
    value: { manager: 'dead', fs: 'alive' }
  })
  for (const pid of ['1234567890\n', '7 7\n', 'x7\n', '7x\n', '-7\n']) {
    expect(await detect(detectSysbox, { ...node, '/run/sysbox/sysmgr.pid': pid }), pid).toHaveProperty('unsure')
  }
})

test('each tool of the kernel headers is missed by name, and a folder in its place is none', async () => {
  const build = '/lib/modules/6.1.0/build'
  const needed = ['Makefile', 'Module.symvers', 'include/generated/autoconf.h', 'scripts/basic/fixdep', 'scripts/mod/modpost']
  const node: Answers = {
    '/proc/sys/kernel/osrelease': '6.1.0\n',
    [build]: [],
    '/lib/modules/6.1.0/source': undefined,
    ...Object.fromEntries(needed.map(name => [`${build}/${name}`, 'x'])),
    [`${build}/include/linux/fs.h`]: 'struct super_operations {\n'
  }
  for (const name of needed) {
    for (const answer of [undefined, []]) {
      expect(await detect(detectHeaders, { ...node, [`${build}/${name}`]: answer })).toMatchObject({ value: { missing: [name] } })
    }
  }
  expect(await detect(detectHeaders, { ...node, [build]: undefined })).toEqual({
    value: { directory: '', missing: needed, isIdmappedMnt: false, renamedata: false }
  })
})

test.each([
  ['7b3c1e2a-90ab-4cde-8f01-23456789abcd\n', true],
  ['7b3c1e2a-90ab-4cde-8f01-23456789abcd', true],
  ['x7b3c1e2a-90ab-4cde-8f01-23456789abcd\n', false],
  ['7b3c1e2a-90ab-4cde-8f01-23456789abcdx\n', false],
  ['7b3c1e2a-90ab-4cde-8f01-23456789abcd\n\n', false],
  ['7B3C1E2A-90AB-4CDE-8F01-23456789ABCD\n', false]
])('%j is a boot id: %s', async (text, is) => {
  const found = await detect(detectBootId, { '/proc/sys/kernel/random/boot_id': text })
  expect(found).toEqual(is ? { value: text.trim() } : { unsure: '/proc/sys/kernel/random/boot_id holds no boot id' })
})
