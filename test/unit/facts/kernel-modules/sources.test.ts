import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attempt } from '../../../../src/facts/attempt.ts'
import type { Attempt } from '../../../../src/facts/fact.ts'
import { judgeModules } from '../../../../src/facts/kernel-modules/detect.ts'
import {
  installRuleOf,
  loadsNothing,
  parseKernelBlacklist,
  parseModprobeRules
} from '../../../../src/facts/kernel-modules/modprobe.ts'
import { parseModulesBuiltin, parseModulesDep } from '../../../../src/facts/kernel-modules/modules-dep.ts'
import { MODULE_NAMES, MODULES, type ModuleName } from '../../../../src/facts/kernel-modules/names.ts'
import { parseModules } from '../../../../src/facts/kernel-modules/proc-modules.ts'
import type { ModuleSources } from '../../../../src/facts/kernel-modules/state.ts'
import { HostError } from '../../../../src/host/host.ts'
import { accepted, endless, everyParsed, garbage, outcome } from '../garbage.ts'

describe('/proc/modules', () => {
  test.each([
    ['fuse 163840 1 - Live 0x0000000000000000', 'fuse', { taint: '', live: true }],
    ['shiftfs 32768 0 - Live 0x0000000000000000 (OE)', 'shiftfs', { taint: 'OE', live: true }],
    ['shiftfs 32768 0 - Live 0xffffffffc0a00000 (E)', 'shiftfs', { taint: 'E', live: true }],
    ['overlay 151552 24 - Live 0x0000000000000000 ', 'overlay', { taint: '', live: true }],
    ['bridge 307200 1 br_netfilter, Live 0x0000000000000000', 'bridge', { taint: '', live: true }],
    ['nf_tables 258048 113 nft_compat,nft_chain_nat, Live 0x0000000000000000', 'nf_tables', { taint: '', live: true }],
    ['ip_tables 36864 1 iptable_nat,[permanent], Live 0x0000000000000000', 'ip_tables', { taint: '', live: true }],
    ['fuse 163840 0 - Loading 0x0000000000000000', 'fuse', { taint: '', live: false }],
    ['veth 32768 -1 - Unloading 0x0000000000000000', 'veth', { taint: '', live: false }],
    ['shiftfs 32768 1 - Loading 0x0000000000000000 (OE+)', 'shiftfs', { taint: 'OE+', live: false }],
    ['fuse 163840 - - Live 0x0000000000000000', 'fuse', { taint: '', live: true }]
  ])('%s', (line, name, module) => {
    expect(parseModules([line])).toEqual(new Map([[name, module]]))
  })

  test.each([
    ['fuse'],
    ['fuse 163840 1 - Li'],
    ['fuse 163840 1 - Live'],
    ['fuse 163840 1 - Dead 0x0'],
    ['fuse x 1 - Live 0x0'],
    ['fuse 163840 1 - Live 0x0 (OE'],
    ['fuse 163840 1 - Live 0x0 ()'],
    ['']
  ])('is rejected with the line %j', line => {
    expect(() => parseModules(['veth 1 0 - Live 0x0', line])).toThrow('/proc/modules has a line with an unexpected format')
  })

  test('of any lines gives modules or a refusal', () => {
    const line = garbage('shiftfs 32768 0 - Live 0x0000000000000000 (OE)', 'fuse 163840 1 - Live 0x0000000000000000')
    const modulesOf = (lines: readonly string[]) => accepted(() => parseModules(lines))
    everyParsed(fc.array(line, { minLength: 1, maxLength: 4 }), modulesOf, modules => {
      expect(modules.size).toBeGreaterThan(0)
      for (const name of modules.keys()) expect(name).toMatch(/^\w+$/)
    })
  })

  test.each([
    [endless('a')],
    [endless('a ', 'fuse 1 1 ')],
    [endless(' ', 'fuse 1 1 - Live 0x0', 'x')],
    [endless('O', 'fuse 1 1 - Live 0x0 (', '')],
    [endless('1', 'fuse ')]
  ])('with a line of 1 MB is judged like any other (%#)', line => {
    expect(outcome(() => parseModules([line]))).toBe('refused')
  })
})

describe('modules.dep', () => {
  const found = (line: string) => [...parseModulesDep([line])]

  test.each([
    ['kernel/fs/fuse/fuse.ko:', 'fuse', 'kernel/fs/fuse/fuse.ko', []],
    ['kernel/fs/fuse/fuse.ko.zst: kernel/lib/crc16.ko.zst', 'fuse', 'kernel/fs/fuse/fuse.ko.zst', ['crc16']],
    ['updates/dkms/shiftfs.ko:', 'shiftfs', 'updates/dkms/shiftfs.ko', []],
    ['extra/shiftfs.ko.gz:', 'shiftfs', 'extra/shiftfs.ko.gz', []],
    [
      'a/nf-conntrack.ko: a/nf_defrag_ipv6.ko a/nf-defrag-ipv4.ko',
      'nf_conntrack',
      'a/nf-conntrack.ko',
      ['nf_defrag_ipv6', 'nf_defrag_ipv4']
    ],
    ['a/xt_MASQUERADE.ko.xz: a/nf_nat.ko.xz a/x_tables.ko.xz', 'xt_MASQUERADE', 'a/xt_MASQUERADE.ko.xz', ['nf_nat', 'x_tables']],
    ['fuse.ko:', 'fuse', 'fuse.ko', []],
    ['kernel/fs/fuse/fuse.ko', 'fuse', 'kernel/fs/fuse/fuse.ko', []]
  ])('%s', (line, name, path, needs) => {
    expect(found(line)).toEqual([[name, { path, needs }]])
  })

  test.each([
    ['kernel/fs/x/x.txt: kernel/fs/fuse/fuse.ko'],
    [': fuse.ko'],
    [''],
    ['kernel/fs/fuse/'],
    ['.ko:'],
    ['fuse.ko.:'],
    ['fuse.ko.a.b:']
  ])('has no module in %j', line => {
    expect(found(line)).toEqual([])
  })

  test('of any lines gives names and paths', () => {
    const line = garbage('kernel/fs/fuse/fuse.ko.zst: kernel/lib/crc16.ko.zst')
    const filesOf = (lines: readonly string[]) => {
      const files = [...parseModulesDep(lines)]
      return files.length === 0 ? undefined : files
    }
    everyParsed(fc.array(line, { maxLength: 5 }), filesOf, files => {
      for (const [name, { path }] of files) expect(path.replaceAll('-', '_')).toContain(`${name}.ko`)
    })
  })

  test.each([
    [endless('a')],
    [endless('a', '', '/x:')],
    [endless('/')],
    [endless('.ko')],
    [endless('b', 'x.ko.', '!:')],
    [endless('.ko', 'a', '/fuse.k:')]
  ])('with a line of 1 MB is judged like any other (%#)', line => {
    expect(parseModulesDep([line]).has('fuse')).toBe(false)
  })
})

test('modules.builtin names the modules that the kernel holds', () => {
  expect(parseModulesBuiltin(['kernel/fs/fuse/fuse.ko', 'kernel/net/netfilter/nf-tables.ko', 'kernel/x', ''])).toEqual(
    new Set(['fuse', 'nf_tables'])
  )
})

describe('the kernel’s command line', () => {
  test.each([
    ['ro quiet', []],
    ['', []],
    ['module_blacklist=shiftfs\n', ['shiftfs']],
    ['ro module_blacklist=nouveau,shiftfs quiet', ['nouveau', 'shiftfs']],
    ['module_blacklist=a module_blacklist=b', ['a', 'b']],
    ['module_blacklist=nf-conntrack', ['nf_conntrack']],
    ['module-blacklist=fuse', ['fuse']],
    ['module_blacklist="fuse,veth" ro', ['fuse', 'veth']],
    ['"module_blacklist=fuse" ro', ['fuse']],
    ['modprobe.blacklist=fuse rd.driver.blacklist=veth xmodule_blacklist=a', []],
    ['module_blacklist= ro', []]
  ])('%j blocks %j', (cmdline, names) => {
    expect([...parseKernelBlacklist(cmdline)]).toEqual(names)
  })

  test('of any bytes gives names', () => {
    const namesIn = (text: string) => {
      const names = [...parseKernelBlacklist(text)]
      return names.length === 0 ? undefined : names
    }
    everyParsed(garbage('ro module_blacklist=nouveau,shiftfs quiet'), namesIn, names => {
      for (const name of names) expect(name).not.toMatch(/[\s,-]/)
    })
  })

  test.each([[endless('module_blacklist=')], [endless('a,', 'module_blacklist=')], [endless(' ')], [endless('" ')]])(
    'of 1 MB is read like any other (%#)',
    text => {
      expect(parseKernelBlacklist(text).has('fuse')).toBe(false)
    }
  )
})

describe('modprobe.d', () => {
  const rules = (text: string) => parseModprobeRules([['/etc/modprobe.d/a.conf', text]])
  const commands = (text: string) => {
    const parsed = rules(text)
    const found = MODULE_NAMES.map(name => [name, installRuleOf(parsed, name)?.command] as const)
    return Object.fromEntries(found.filter(([, command]) => command !== undefined))
  }

  test.each([
    ['install fuse /bin/false\n', { fuse: '/bin/false' }],
    ['  install\tfuse   /bin/true  \n', { fuse: '/bin/true' }],
    ['install nf-conntrack /bin/false\n', { nf_conntrack: '/bin/false' }],
    ['install fuse \\\n /bin/false\n', { fuse: '/bin/false' }],
    [
      'install fuse /sbin/modprobe --ignore-install fuse && /bin/true\n',
      { fuse: '/sbin/modprobe --ignore-install fuse && /bin/true' }
    ],
    ['install fuse /bin/false\ninstall fuse /bin/echo\n', { fuse: '/bin/false' }],
    ['install nf_* /bin/false\n', { nf_conntrack: '/bin/false', nf_tables: '/bin/false' }],
    ['install v?th /bin/false\n', { veth: '/bin/false' }],
    ['install [a-f]use /bin/false\n', { fuse: '/bin/false' }],
    ['install * /bin/false\n', Object.fromEntries(MODULE_NAMES.map(name => [name, '/bin/false']))],
    ['# install fuse /bin/false\n#install fuse /bin/false\n', {}],
    ['options fuse x=1\nalias fs-x fuse\nsoftdep fuse pre: x\nremove fuse /bin/false\n', {}],
    ['installfuse /bin/false\n', {}],
    ['', {}]
  ])('%j', (text, expected) => {
    expect(commands(text)).toEqual(expected)
  })

  test('lists blacklist, install and alias off, with the file of each', () => {
    const found = parseModprobeRules([
      ['/etc/modprobe.d/a.conf', 'blacklist shiftfs\nalias veth off\nalias fs-fuse fuse\n'],
      ['/run/modprobe.d/b.conf', 'install shiftfs /bin/false\nblacklist nf-tables\n']
    ])
    expect(found.blacklist).toEqual(
      new Map([
        ['shiftfs', '/etc/modprobe.d/a.conf'],
        ['nf_tables', '/run/modprobe.d/b.conf']
      ])
    )
    expect(found.install).toEqual([{ name: 'shiftfs', command: '/bin/false', file: '/run/modprobe.d/b.conf' }])
    expect(found.off).toEqual(new Map([['veth', '/etc/modprobe.d/a.conf']]))
  })

  test.each([
    ['/bin/false'],
    ['/bin/true'],
    ['/usr/bin/false'],
    ['/usr/bin/true'],
    ['true'],
    ['/bin/false # by order of the guide'],
    ['/bin/false #'],
    ['/bin/true 1'],
    [':'],
    ['exit 1'],
    ['exit']
  ])('the command %j loads nothing', command => {
    expect(loadsNothing(command)).toBe(true)
  })

  test.each([
    ['/sbin/modprobe --ignore-install fuse'],
    ['/bin/true; modprobe -i fuse'],
    ['/bin/true && insmod /x.ko'],
    ['/bin/false || modprobe -i fuse'],
    ['/bin/true $(insmod /x.ko)'],
    ['/bin/true `insmod /x.ko`'],
    ['/opt/bin/true'],
    ['/bin/falsehood'],
    ['exits'],
    ['']
  ])('the command %j may load it', command => {
    expect(loadsNothing(command)).toBe(false)
  })

  test('that ends inside a line is rejected, since the line could have decided', () => {
    expect(() => rules('install fuse /bin/fal')).toThrow(HostError)
    expect(() => rules('install fuse \\\n')).toThrow(HostError)
  })

  test('of any bytes gives rules or a refusal', () => {
    const lines = garbage('install fuse /bin/false\n', 'blacklist shiftfs\n', 'install [n*?]f_* /bin/true\n')
    const installs = (text: string) => {
      const install = accepted(() => rules(`${text}\n`))?.install
      return install?.length === 0 ? undefined : install
    }
    everyParsed(lines, installs, install => {
      for (const { file } of install) expect(file).toBe('/etc/modprobe.d/a.conf')
    })
  })

  const all = MODULE_NAMES.toSorted()
  test.each<[string, readonly string[] | undefined]>([
    [endless('install '), undefined],
    [endless('*', 'install ', ' /bin/false\n'), all],
    // What modprobe would make of such patterns nobody knows: they forbid everything.
    [endless('*?', 'install ', 'x /bin/false\n'), all],
    [endless('[', 'install ', ' /bin/false\n'), all],
    [endless('[a]', 'install ', ' /bin/false\n'), all],
    [endless('\\\n'), undefined],
    [endless(' \n'), []]
  ])('of 1 MB is read like any other (%#)', (text, expected) => {
    const found = outcome(() => Object.keys(commands(text)).toSorted())
    expect(found === 'refused' ? undefined : found.value).toEqual(expected)
  })
})

const ok = <T>(value: T): Attempt<T> => ({ ok: true, value })
const failed = (why: string): Attempt<never> => ({ ok: false, why })
const live = { taint: '', live: true }
const rulesOf = (text: string) => ok(parseModprobeRules([['/etc/modprobe.d/x.conf', text]]))

const onDisk = (names: readonly string[], needs: readonly string[] = []) =>
  new Map(names.map(name => [name, { path: `kernel/${name}.ko`, needs }]))

/** A kernel with modules, on which nothing is loaded and everything could be. */
const sources = (more: Partial<ModuleSources> = {}): ModuleSources => ({
  loaded: new Map(),
  fileSystems: new Set(),
  sysModules: new Set(),
  builtin: ok(new Set<string>()),
  dep: ok(onDisk(MODULE_NAMES)),
  disabled: ok(false),
  rules: rulesOf(''),
  kernelBlacklist: ok(new Set<string>()),
  ...more
})

describe('a module', () => {
  const fuse = (more: Partial<ModuleSources>) => judgeModules(sources(more)).modules.fuse

  test.each<[string, Partial<ModuleSources>, string, string]>([
    ['loaded', { loaded: new Map([['fuse', live]]) }, 'present', 'loaded'],
    ['registered', { fileSystems: new Set(['fuse']) }, 'present', 'registered in /proc/filesystems'],
    ['in /sys/module', { sysModules: new Set(['fuse']) }, 'present', 'present in /sys/module/fuse'],
    ['built in', { builtin: ok(new Set(['fuse'])) }, 'present', 'built into the kernel'],
    [
      'built in, where nothing can be loaded',
      { loaded: undefined, builtin: ok(new Set(['fuse'])) },
      'present',
      'built into the kernel'
    ],
    [
      'only being loaded',
      { loaded: new Map([['fuse', { taint: '', live: false }]]), sysModules: new Set(['fuse']), dep: ok(new Map()) },
      'absent',
      'not loaded'
    ],
    ['on the disk', {}, 'loadable', 'kernel/fuse.ko can be loaded'],
    ['not on the disk', { dep: ok(new Map()) }, 'absent', 'the running kernel has no such module'],
    [
      'not on the disk, without a modules.builtin',
      { dep: ok(new Map()), builtin: ok(undefined) },
      'unknown',
      'no modules.builtin'
    ],
    ['not on the disk, behind an unreadable modules.builtin', { dep: ok(new Map()), builtin: failed('EIO') }, 'unknown', 'EIO'],
    ['on the disk, without a modules.builtin', { builtin: ok(undefined) }, 'loadable', 'can be loaded'],
    ['off by its name, by which nobody asks for it', { rules: rulesOf('alias fuse off\n') }, 'loadable', 'can be loaded'],
    [
      'behind a dependency that is switched off',
      { dep: ok(onDisk(['fuse'], ['crc16'])), rules: rulesOf('install crc16 /bin/false\n') },
      'blocked',
      'has "install crc16 /bin/false"'
    ],
    [
      'behind a dependency that is switched off and loaded already',
      { dep: ok(onDisk(['fuse'], ['crc16'])), rules: rulesOf('install crc16 /bin/false\n'), loaded: new Map([['crc16', live]]) },
      'loadable',
      'can be loaded'
    ],
    [
      'behind a dependency that is only being loaded',
      {
        dep: ok(onDisk(['fuse'], ['crc16'])),
        rules: rulesOf('install crc16 /bin/false\n'),
        loaded: new Map([['crc16', { taint: '', live: false }]])
      },
      'blocked',
      'has "install crc16 /bin/false"'
    ],
    [
      'behind a dependency on the kernel’s blacklist',
      { dep: ok(onDisk(['fuse'], ['crc16'])), kernelBlacklist: ok(new Set(['crc16'])) },
      'blocked',
      'module_blacklist=crc16'
    ],
    [
      'behind a dependency that another command loads',
      { dep: ok(onDisk(['fuse'], ['crc16'])), rules: rulesOf('install crc16 /sbin/x\n') },
      'unknown',
      'instead of loading crc16'
    ],
    [
      'behind a dependency that is only blacklisted',
      { dep: ok(onDisk(['fuse'], ['crc16'])), rules: rulesOf('blacklist crc16\n') },
      'loadable',
      'can be loaded'
    ],
    [
      'behind a command that nobody knows, and certainly behind another',
      { dep: ok(onDisk(['fuse'], ['crc16'])), rules: rulesOf('install fuse /sbin/x\ninstall crc16 /bin/false\n') },
      'blocked',
      'install crc16 /bin/false'
    ],
    ['nowhere, where there are no modules', { loaded: undefined }, 'absent', 'no loadable modules'],
    ['behind an unreadable modules.dep', { dep: failed('modules.dep cannot be read: EACCES') }, 'unknown', 'EACCES'],
    ['without a modules.dep', { dep: ok(undefined) }, 'unknown', 'no modules.dep'],
    ['locked by modules_disabled', { disabled: ok(true) }, 'blocked', 'modules_disabled is 1'],
    ['behind an unreadable modules_disabled', { disabled: failed('EIO') }, 'unknown', 'EIO'],
    ['on the kernel’s blacklist', { kernelBlacklist: ok(new Set(['fuse'])) }, 'blocked', 'module_blacklist=fuse'],
    ['behind an unreadable command line', { kernelBlacklist: failed('/proc/cmdline is missing') }, 'unknown', '/proc/cmdline'],
    [
      'switched off by /bin/false',
      { rules: rulesOf('install fuse /bin/false\n') },
      'blocked',
      '/etc/modprobe.d/x.conf has "install fuse /bin/false"'
    ],
    ['switched off by /usr/bin/true', { rules: rulesOf('install fuse /usr/bin/true\n') }, 'blocked', '/usr/bin/true'],
    [
      'replaced by another command',
      { rules: rulesOf('install fuse /bin/false || true\n') },
      'unknown',
      'instead of loading fuse'
    ],
    ['behind unreadable rules', { rules: failed('/etc/modprobe.d cannot be read: EACCES') }, 'unknown', 'EACCES'],
    [
      'loaded, though nothing else can be read',
      { loaded: new Map([['fuse', live]]), dep: failed('x'), rules: failed('x'), builtin: failed('x'), disabled: failed('x') },
      'present',
      'loaded'
    ]
  ])('%s', (_, more, state, because) => {
    expect(fuse(more)).toEqual({ state, because: expect.stringContaining(because) })
  })

  test('is judged by its own name only', () => {
    const { modules } = judgeModules(sources({ loaded: new Map([['fuse', live]]), dep: ok(new Map()) }))
    expect(MODULE_NAMES.filter(name => modules[name].state === 'present')).toEqual(['fuse'])
  })

  // Measured with the real modprobe and Docker: what arrives by an alias only is stopped by a blacklist.
  test.each(MODULE_NAMES)('%s that is blacklisted and not loaded is judged by how it is requested', name => {
    const { modules } = judgeModules(sources({ rules: rulesOf(`blacklist ${name}\n`) }))
    const expected = { alias: 'blocked', name: 'loadable', dependency: 'loadable', either: 'unknown' } as const
    expect(modules[name].state).toBe(expected[MODULES[name]])
    const others = MODULE_NAMES.filter(other => other !== name && modules[other].state !== 'loadable')
    expect(others).toEqual([])
  })

  test.each(MODULE_NAMES)('%s with alias off is judged by how it is requested', name => {
    const { modules } = judgeModules(sources({ rules: rulesOf(`alias ${name} off\n`) }))
    const expected = { alias: 'loadable', name: 'blocked', dependency: 'loadable', either: 'unknown' } as const
    expect(modules[name].state).toBe(expected[MODULES[name]])
  })

  test.each<[ModuleName, string]>([
    ['fuse', 'alias'],
    ['veth', 'alias'],
    ['bridge', 'alias'],
    ['overlay', 'alias'],
    ['nft_compat', 'alias'],
    ['nft_chain_nat', 'alias'],
    ['xt_MASQUERADE', 'alias'],
    ['nf_tables', 'dependency'],
    ['ip_tables', 'name'],
    ['iptable_nat', 'name'],
    ['nf_conntrack', 'either'],
    ['shiftfs', 'either']
  ])('%s is requested by %s', (name, how) => {
    expect(MODULES[name]).toBe(how)
  })

  test('is available only if the kernel supports modules or has it built in', () => {
    expect(judgeModules(sources()).supported).toBe(true)
    expect(judgeModules(sources({ loaded: undefined })).supported).toBe(false)
  })
})

describe('shiftfs', () => {
  const origin = (more: Partial<ModuleSources>) => judgeModules(sources(more)).shiftfs

  test.each<[string, Partial<ModuleSources>, boolean | undefined]>([
    ['loaded with the taint OE', { loaded: new Map([['shiftfs', { taint: 'OE', live: true }]]) }, true],
    ['loaded with no taint', { loaded: new Map([['shiftfs', live]]) }, false],
    ['loaded and only unsigned', { loaded: new Map([['shiftfs', { taint: 'E', live: true }]]) }, false],
    ['on the disk in kernel/', {}, false],
    ['on the disk in updates/', { dep: ok(new Map([['shiftfs', { path: 'updates/dkms/shiftfs.ko', needs: [] }]])) }, true],
    ['on the disk in extra/', { dep: ok(new Map([['shiftfs', { path: 'extra/shiftfs.ko', needs: [] }]])) }, true],
    ['built in', { builtin: ok(new Set(['shiftfs'])) }, false],
    ['registered by nobody knows what', { fileSystems: new Set(['shiftfs']) }, undefined],
    ['nowhere', { dep: ok(new Map()) }, undefined],
    ['behind an unreadable modules.dep', { dep: failed('EIO') }, undefined]
  ])('%s', (_, more, outOfTree) => {
    expect(origin(more).outOfTree).toBe(outOfTree)
  })

  test.each<[string, Partial<ModuleSources>, string]>([
    ['nothing', {}, ''],
    ['a blacklist', { rules: rulesOf('blacklist shiftfs\n') }, '/etc/modprobe.d/x.conf'],
    ['an alias that is off', { rules: rulesOf('alias shiftfs off\n') }, '/etc/modprobe.d/x.conf'],
    ['an install line', { rules: rulesOf('install shiftfs /bin/false\n') }, '/etc/modprobe.d/x.conf'],
    ['the kernel’s blacklist', { kernelBlacklist: ok(new Set(['shiftfs'])) }, 'module_blacklist='],
    ['rules that cannot be read', { rules: failed('EACCES') }, 'EACCES'],
    ['a command line that cannot be read', { kernelBlacklist: failed('EIO') }, 'EIO']
  ])('is blocked by %s', (_, more, why) => {
    if (why === '') expect(origin(more).blockedBy).toBe('')
    else expect(origin(more).blockedBy).toContain(why)
  })

  test('is registered if it is live or listed in /proc/filesystems', () => {
    expect(origin({}).registered).toBe(false)
    expect(origin({ fileSystems: new Set(['shiftfs']) }).registered).toBe(true)
    expect(origin({ loaded: new Map([['shiftfs', live]]) }).registered).toBe(true)
    expect(origin({ loaded: new Map([['shiftfs', { taint: '', live: false }]]) }).registered).toBe(false)
  })
})

describe('whatever the sources say', () => {
  const attempts = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Attempt<T>> => fc.oneof(value.map(ok), fc.constant(failed('why')))
  const names = fc.subarray([...MODULE_NAMES]).map(some => new Set<string>(some))
  const table = fc.subarray([...MODULE_NAMES])
  const any: fc.Arbitrary<ModuleSources> = fc.record({
    loaded: fc.option(
      table.map(some => new Map(some.map(name => [name, live]))),
      { nil: undefined }
    ),
    fileSystems: fc.option(names, { nil: undefined }),
    sysModules: names,
    builtin: attempts(fc.option(names, { nil: undefined })),
    dep: attempts(
      fc.option(
        table.map(some => onDisk(some)),
        { nil: undefined }
      )
    ),
    disabled: attempts(fc.boolean()),
    rules: attempts(
      fc.tuple(table, table).map(([install, blacklist]) => ({
        install: install.map(name => ({ name, command: '/bin/false', file: '/x.conf' })),
        blacklist: new Map(blacklist.map(name => [name, '/x.conf'])),
        off: new Map()
      }))
    ),
    kernelBlacklist: attempts(names)
  })

  test('a loadable module is on the disk, and everything that could block it was read', () => {
    fc.assert(
      fc.property(any, found => {
        const { modules } = judgeModules(found)
        for (const name of MODULE_NAMES.filter(each => modules[each].state === 'loadable')) {
          expect(found.loaded).toBeDefined()
          expect(found.dep.ok && found.dep.value?.has(name)).toBe(true)
          expect(found.disabled).toEqual(ok(false))
          expect(found.rules.ok && installRuleOf(found.rules.value, name) === undefined).toBe(true)
          expect(found.kernelBlacklist.ok && !found.kernelBlacklist.value.has(name)).toBe(true)
        }
      })
    )
  })

  test('making one source unreadable never makes a module loadable or present', () => {
    const key = fc.constantFrom('builtin', 'dep', 'disabled', 'rules', 'kernelBlacklist')
    fc.assert(
      fc.property(any, key, (found, which) => {
        const [before, after] = [judgeModules(found), judgeModules({ ...found, [which]: failed('unreadable') })]
        for (const name of MODULE_NAMES) {
          if (['absent', 'blocked', 'unknown'].includes(before.modules[name].state)) {
            expect(['absent', 'blocked', 'unknown']).toContain(after.modules[name].state)
          }
        }
        expect(before.shiftfs.blockedBy !== '' && after.shiftfs.blockedBy === '').toBe(false)
      })
    )
  })
})

test('an attempt returns failures of the node, and throws bugs', async () => {
  expect(await attempt(async () => 1)).toEqual(ok(1))
  expect(
    await attempt(async () => {
      throw new HostError('/x', 'EIO')
    })
  ).toEqual(failed('/x cannot be read: EIO'))
  await expect(
    attempt(async () => {
      throw new TypeError('a bug')
    })
  ).rejects.toThrow(TypeError)
})
