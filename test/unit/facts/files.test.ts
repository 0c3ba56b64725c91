import { describe, expect, test } from 'vitest'
import { detectBootId } from '../../../src/facts/boot-id.ts'
import { detectConntrack } from '../../../src/facts/conntrack.ts'
import { type Distro, detectDistro, parseOsRelease } from '../../../src/facts/distro.ts'
import { detectHeaders } from '../../../src/facts/headers.ts'
import { detectKernel } from '../../../src/facts/kernel.ts'
import { detectSysbox, parseSysboxVersion } from '../../../src/facts/sysbox.ts'
import { type Answers, detect } from './replay.ts'

describe('the kernel', () => {
  const path = '/proc/sys/kernel/osrelease'

  test('is the running one', async () => {
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
  ])('is unknown if its file is %s', async (_, answer, why) => {
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
  test('is read from /etc, or from /usr if that file is missing', async () => {
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
  ])('are unknown if %s cannot be read', async (_, answers) => {
    expect(await detect(detectHeaders, { ...node, ...answers })).toHaveProperty('unsure')
  })
})

describe('Sysbox on the node', () => {
  const nothing: Answers = Object.fromEntries(
    ['/usr/bin', '/opt/bin', '/usr/local/sbin'].flatMap(directory =>
      ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'].map(name => [`${directory}/${name}`, undefined])
    )
  )
  const unit = (name: string) => `/sys/fs/cgroup/system.slice/${name}.service/cgroup.procs`
  const elsewhere: Answers = Object.fromEntries(
    ['systemd', 'unified'].flatMap(hierarchy =>
      ['sysbox-mgr', 'sysbox-fs'].map(name => [
        `/sys/fs/cgroup/${hierarchy}/system.slice/${name}.service/cgroup.procs`,
        undefined
      ])
    )
  )
  const running: Answers = {
    ...nothing,
    ...elsewhere,
    '/usr/bin/sysbox-runc': 'ELF',
    '/usr/bin/sysbox-mgr': 'ELF',
    '/usr/bin/sysbox-fs': 'ELF',
    [unit('sysbox-mgr')]: '812\n',
    [unit('sysbox-fs')]: '0\n',
    '/proc': ['1', '812', '813', 'cpuinfo'],
    '/proc/1/comm': 'systemd\n',
    '/proc/812/comm': 'sysbox-mgr\n',
    '/proc/813/comm': 'sysbox-fs\n',
    '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': 'v0.7.1\n'
  }
  const is = <T>(value: T) => ({ ok: true, value })
  /** Without systemd's units. */
  const loose: Answers = { [unit('sysbox-mgr')]: undefined, [unit('sysbox-fs')]: undefined }

  test.each<[string, Answers, object]>([
    [
      'alive',
      {},
      {
        programs: ['/usr/bin/sysbox-runc', '/usr/bin/sysbox-mgr', '/usr/bin/sysbox-fs'],
        manager: is('alive'),
        fs: is('alive'),
        version: is('0.7.1')
      }
    ],
    ['alive by the names of its processes', loose, { manager: is('alive'), fs: is('alive') }],
    [
      'alive in a hierarchy of the first version',
      { ...loose, '/sys/fs/cgroup/systemd/system.slice/sysbox-fs.service/cgroup.procs': '813\n', '/proc/813/comm': undefined },
      { fs: is('alive') }
    ],
    ['dead', { ...loose, '/proc/812/comm': undefined }, { manager: is('dead'), fs: is('alive') }],
    ['dead with its unit left empty', { [unit('sysbox-mgr')]: '', '/proc/812/comm': 'bash\n' }, { manager: is('dead') }],
    ['in Flatcar’s place', { ...nothing, '/opt/bin/sysbox-runc': 'ELF' }, { programs: ['/opt/bin/sysbox-runc'] }],
    [
      'of a package',
      {
        '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': undefined,
        '/var/lib/dpkg/status':
          'Package: bash\nVersion: 5.2\n\nPackage: sysbox-ce\nStatus: install ok installed\nVersion: 0.6.7-0.linux\n'
      },
      { version: is('0.6.7') }
    ],
    [
      'of nobody knows which version',
      { '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': undefined, '/var/lib/dpkg/status': undefined },
      { version: is('') }
    ]
  ])('is %s', async (_, answers, value) => {
    expect(await detect(detectSysbox, { ...running, ...answers })).toEqual({ value: expect.objectContaining(value) })
  })

  test('is not installed without its programs, whatever else exists', async () => {
    expect(await detect(detectSysbox, { ...nothing, '/usr': undefined })).toHaveProperty('unsure')
    expect(await detect(detectSysbox, { ...nothing, '/usr': ['bin'] })).toMatchObject({ value: { programs: [] } })
  })

  test('takes its version from the helper only if no file has it', async () => {
    const readings = { apparmorUserns: undefined, profiles: undefined, sysboxVersion: '0.7.2' }
    const none: Answers = { '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': undefined, '/var/lib/dpkg/status': undefined }
    const closed: Answers = { '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': { error: 'EACCES' } }
    for (const answers of [none, closed])
      expect(await detect(detectSysbox, { ...running, ...answers }, { readings })).toMatchObject({
        value: { version: is('0.7.2') }
      })
    expect(await detect(detectSysbox, running, { readings })).toMatchObject({ value: { version: is('0.7.1') } })
  })

  test.each<[string, Answers, 'manager' | 'fs' | 'version', string]>([
    ['a process', { ...loose, '/proc/812/comm': { error: 'EIO' } }, 'manager', 'EIO'],
    ['the list of processes', { ...loose, '/proc': { error: 'EACCES' } }, 'fs', 'EACCES'],
    [
      "other users' processes",
      { ...loose, '/proc': ['812', '900'], '/proc/812/comm': 'node\n', '/proc/900/comm': 'node\n' },
      'fs',
      'hidepid'
    ],
    ['the version', { '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': { error: 'EACCES' } }, 'version', 'EACCES'],
    ['a number in the version', { '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': 'latest\n' }, 'version', 'not a version']
  ])('has one unknown part if %s cannot be read', async (_, answers, part, why) => {
    const found = await detect(detectSysbox, { ...running, ...answers })
    expect(found).toMatchObject({ value: { [part]: { ok: false, why: expect.stringContaining(why) } } })
  })

  test('is unknown if its programs cannot be seen', async () => {
    expect(await detect(detectSysbox, { ...running, '/usr/bin/sysbox-runc': { error: 'EACCES' } })).toHaveProperty('unsure')
  })

  test.each([
    ['v0.7.1\n', '0.7.1'],
    ['0.6.4-1.linux', '0.6.4'],
    ['sysbox-ce version 0.6.7\n', '0.6.7'],
    ['latest', undefined],
    ['0.7', undefined],
    ['1.2.3.4', undefined],
    ['', undefined]
  ])('of the version %j is %s', (text, version) => {
    expect(parseSysboxVersion(text)).toBe(version)
  })

  test('needs conntrack to be loaded', async () => {
    const path = '/sys/module/nf_conntrack/parameters'
    expect(await detect(detectConntrack, { [path]: [] })).toEqual({ value: true })
    expect(await detect(detectConntrack, { [path]: undefined })).toEqual({ value: false })
    expect(await detect(detectConntrack, { '/sys/kernel': undefined })).toHaveProperty('unsure')
  })
})

test('the programs of Sysbox are searched in three directories, and listed in that order', async () => {
  const places = ['/usr/bin', '/opt/bin', '/usr/local/sbin']
  const paths = places.flatMap(place => ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'].map(name => `${place}/${name}`))
  const hierarchies = ['', '/systemd', '/unified']
  const units = hierarchies.flatMap(at =>
    ['mgr', 'fs'].map(name => `/sys/fs/cgroup${at}/system.slice/sysbox-${name}.service/cgroup.procs`)
  )
  const programs = async (found: readonly string[]) =>
    await detect(detectSysbox, {
      ...Object.fromEntries(units.map(path => [path, undefined])),
      '/proc': ['1'],
      '/proc/1/comm': 'init\n',
      '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': undefined,
      '/var/lib/dpkg/status': undefined,
      ...Object.fromEntries(paths.map(path => [path, found.includes(path) ? 'ELF' : undefined]))
    })
  for (const path of paths) expect(await programs([path])).toMatchObject({ value: { programs: [path] } })
  expect(await programs(paths)).toMatchObject({ value: { programs: paths } })
})

test('each missing tool of the kernel headers is named, and a folder with its name does not count', async () => {
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

test('without fs.h its content counts as missing', async () => {
  const [release, build] = [{ '/proc/sys/kernel/osrelease': '6.1.0\n' }, '/lib/modules/6.1.0/build']
  const tools = ['Makefile', 'Module.symvers', 'include/generated/autoconf.h', 'scripts/basic/fixdep', 'scripts/mod/modpost']
  const node: Answers = {
    ...release,
    [build]: [],
    '/lib/modules/6.1.0/source': undefined,
    ...Object.fromEntries(tools.map(name => [`${build}/${name}`, 'x'])),
    [`${build}/include/linux/fs.h`]: undefined
  }
  expect(await detect(detectHeaders, node)).toEqual({
    value: { directory: build, missing: ['include/linux/fs.h'], isIdmappedMnt: false, renamedata: false }
  })
})

test.each<[string, string, Partial<Distro>]>([
  ['a variant that ends the file', 'ID=debian\nVARIANT_ID=aws', { variant: 'aws' }],
  ['relatives that end the file', 'ID=debian\nID_LIKE=ubuntu', { like: ['ubuntu'] }],
  ['an ID after another word', 'ID=debian\nexport ID=cos\n', { id: 'debian' }],
  ['a second ID whose quote is open', 'ID=debian\nID="cos\n', { id: 'debian' }],
  ['a name that is one quote', 'ID=debian\nNAME="\n', { name: 'debian' }],
  ['an empty text after another', 'ID=debian\nVARIANT_ID=a\nVARIANT_ID=""\n', { variant: '' }],
  ['a backslash in single quotes', "ID=debian\nNAME='a\\$b'\n", { name: 'a\\$b' }]
])('os-release with %s is parsed', (_, text, distro) => {
  expect(parseOsRelease(text)).toMatchObject(distro)
})
