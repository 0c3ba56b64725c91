import { chmodSync, readdirSync, readFileSync, realpathSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { HostError, type HostReader, SIZE_CAP } from '../../../src/host/host.ts'
import { localHost } from '../../../src/host/local.ts'
import { asNobody, type Entry, refusal, script, temporary } from './temporary.ts'

const hostOf = (entries: Readonly<Record<string, Entry>>): HostReader => localHost(temporary(entries))

describe('a symbolic link', () => {
  const tree = {
    'run/release': 'inside\n',
    'etc/absolute': { link: '/run/release' },
    'etc/relative': { link: '../run/release' },
    'etc/escape': { link: '../../../../../../../../run/release' },
    'etc/absolute-escape': { link: '/../../../run/release' },
    'etc/chain': { link: 'absolute' },
    'etc/here': { link: '.' },
    'etc/dangling': { link: '/nowhere' },
    'etc/through-file': { link: '/run/release/more' },
    'etc/trailing': { link: '/run/' },
    lib: { link: 'usr/lib' },
    'usr/lib/os-release': 'in usr\n',
    'var/run': { link: '/run' }
  } as const

  test.each([
    ['an absolute one', '/etc/absolute', '/run/release'],
    ['a relative one', '/etc/relative', '/run/release'],
    ['one that climbs out of the root', '/etc/escape', '/run/release'],
    ['an absolute one that climbs', '/etc/absolute-escape', '/run/release'],
    ['one to another link', '/etc/chain', '/run/release'],
    ['one to its own directory', '/etc/here/here/absolute', '/run/release'],
    ['a directory in the middle', '/lib/os-release', '/usr/lib/os-release'],
    ['an absolute directory in the middle', '/var/run/release', '/run/release'],
    ['one with a slash at its end', '/etc/trailing/release', '/run/release'],
    ['no link at all', '/run/release', '/run/release'],
    ['.. in the question', '/etc/../run/release', '/run/release'],
    ['.. above the root in the question', '/../../../../run/release', '/run/release'],
    ['doubled slashes and dots', '//run/.//release', '/run/release'],
    ['.. after a link goes up from where the link leads', '/lib/../lib/os-release', '/usr/lib/os-release']
  ])('%s is resolved inside the root', async (_, path, real) => {
    const host = hostOf(tree)
    expect(await host.realpath(path)).toBe(real)
    expect(await host.read(path)).toBe(real === '/run/release' ? 'inside\n' : 'in usr\n')
    expect(await host.stat(path)).toMatchObject({ kind: 'file', device: '' })
  })

  test.each([
    ['/etc/dangling'],
    ['/etc/through-file'],
    ['/run/release/x'],
    ['/run/release/../release'],
    ['/nowhere/..'],
    ['/nowhere']
  ])('%s does not exist, for every question', async path => {
    const host = hostOf(tree)
    expect(await host.read(path)).toBeUndefined()
    expect(await host.lines(path, /./)).toBeUndefined()
    expect(await host.list(path)).toBeUndefined()
    expect(await host.stat(path)).toBeUndefined()
    expect(await host.realpath(path)).toBeUndefined()
    expect(await host.statfs(path)).toBeUndefined()
  })

  test('that leads to a file outside of the root does not show that file', async () => {
    const outside = temporary({ secret: 'outside\n' })
    const host = hostOf({ direct: { link: join(outside, 'secret') }, up: { link: `../../../../..${outside}/secret` } })
    expect(await host.read('/direct')).toBeUndefined()
    expect(await host.read('/up')).toBeUndefined()
  })

  test.each([['/a'], ['/a/more'], ['/self']])('loop at %s is ELOOP and not a missing file', async path => {
    const host = hostOf({ a: { link: 'b' }, b: { link: '/a' }, self: { link: 'self' } })
    for (const look of [host.read(path), host.stat(path), host.list(path), host.realpath(path), host.statfs(path)]) {
      expect(await refusal(look)).toMatchObject({ code: 'ELOOP', path })
    }
  })

  test('chain is followed as far as by the kernel', async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 41 }, (_, index) => [`l${index + 1}`, { link: index === 0 ? 'end' : `l${index}` }])
    )
    const root = temporary({ ...chain, end: 'end\n' })
    const [inside, kernel] = [localHost(root), localHost('/')]
    expect(await inside.read('/l40')).toBe('end\n')
    // Half as many: a walk that the kernel has to begin again, since a mount changed meanwhile, counts the links of its first try too.
    expect(await kernel.read(`${root}/l20`)).toBe('end\n')
    expect((await refusal(inside.read('/l41'))).code).toBe('ELOOP')
    expect((await refusal(kernel.read(`${root}/l41`))).code).toBe('ELOOP')
  })
})

describe('a regular file', () => {
  test('is read whole, also without a final newline, when empty, and with invalid UTF-8', async () => {
    const host = hostOf({ text: 'one\ntwo', empty: '', bytes: Buffer.from([0x06, 0, 0, 0, 0xff]) })
    expect(await host.read('/text')).toBe('one\ntwo')
    expect(await host.read('/empty')).toBe('')
    expect(await host.read('/bytes')).toBe('\x06\0\0\0\ufffd')
  })

  test('of many chunks keeps characters whole at the borders of chunks', async () => {
    const text = `a${'ü'.repeat(100_000)}\n`
    expect(await hostOf({ text }).read('/text')).toBe(text)
  })

  test('of exactly the cap is read, and one byte more is EFBIG', async () => {
    const root = temporary({ fits: '', over: '' })
    truncateSync(join(root, 'fits'), SIZE_CAP)
    truncateSync(join(root, 'over'), SIZE_CAP + 1)
    const host = localHost(root)
    expect((await host.read('/fits'))?.length).toBe(SIZE_CAP)
    expect(await refusal(host.read('/over'))).toMatchObject({ code: 'EFBIG', message: expect.stringContaining('8 MiB') })
    expect((await refusal(host.lines('/over', /./))).code).toBe('EFBIG')
  })

  test('that is sparse and enormous is EFBIG without being read to its end', async () => {
    const root = temporary({ sparse: '' })
    truncateSync(join(root, 'sparse'), 2 ** 40)
    expect((await refusal(localHost(root).read('/sparse'))).code).toBe('EFBIG')
  })

  test('whose size the kernel reports as 0 is read', async () => {
    expect(await localHost('/proc').read('/self/status')).toContain('Name:')
  })

  test('is not a directory: it has no list and no files below it', async () => {
    const host = hostOf({ file: 'x\n' })
    expect(await host.list('/file')).toBeUndefined()
    expect(await host.read('/file/below')).toBeUndefined()
  })
})

describe('lines', () => {
  test.each([
    ['matching lines only, in their order', 'b 1\na 2\nb 3\n', ['b 1', 'b 3']],
    ['none of a text without a match', 'a\n', []],
    ['none of an empty file', '', []]
  ])('are the %s', async (_, text, expected) => {
    expect(await hostOf({ text }).lines('/text', /^b/)).toEqual(expected)
  })

  test.each([['b 1\nb'], ['b'], ['\n\nx']])('of %j, which ends inside a line, are refused as incomplete', async text => {
    expect(await refusal(hostOf({ text }).lines('/text', /^b/))).toMatchObject({ code: 'ECUT', path: '/text' })
  })
})

describe('a path that is not a regular file', () => {
  test('a directory is EISDIR', async () => {
    const host = hostOf({ 'etc/os-release': 'directory/' })
    expect(await refusal(host.read('/etc/os-release'))).toMatchObject({ code: 'EISDIR', path: '/etc/os-release' })
    expect(await host.stat('/etc/os-release')).toMatchObject({ kind: 'directory', device: '' })
    expect(await host.list('/etc/os-release')).toEqual([])
  })

  test('a FIFO is refused by name and does not block', async () => {
    const root = temporary({ 'etc/link': { link: '/etc/fifo' } })
    await execa('mkfifo', [join(root, 'etc/fifo')])
    const host = localHost(root)
    for (const path of ['/etc/fifo', '/etc/link']) {
      expect(await refusal(host.read(path))).toMatchObject({ code: 'EINVAL', message: expect.stringContaining('it is a fifo') })
    }
    expect(await host.stat('/etc/link')).toMatchObject({ kind: 'fifo', device: '' })
    expect(await host.list('/etc/fifo')).toBeUndefined()
    expect((await refusal(localHost('/').read(join(root, 'etc/fifo')))).code).toBe('EINVAL')
  })

  test('a socket is refused and named as a socket', async () => {
    const root = temporary()
    const server = createServer()
    await new Promise<void>(resolve => server.listen(join(root, 'sysmgr.sock'), resolve))
    onTestFinished(() => void server.close())
    const host = localHost(root)
    expect(await host.stat('/sysmgr.sock')).toMatchObject({ kind: 'socket', device: '' })
    expect((await refusal(host.read('/sysmgr.sock'))).message).toContain('it is a socket')
  })

  // Documentation/admin-guide/devices.txt: the memory devices.
  test.each([
    ['null', '1:3'],
    ['zero', '1:5'],
    ['full', '1:7'],
    ['urandom', '1:9']
  ])('the device %s is %s with mode 666, and reading it is refused', async (name, device) => {
    const host = localHost('/dev')
    expect(await host.stat(`/${name}`)).toEqual({ kind: 'character', mode: 0o666, device })
    expect(await refusal(host.read(`/${name}`))).toMatchObject({ code: 'EINVAL', message: expect.stringContaining('character') })
  })

  test('every device number is the one that stat(1) prints', async () => {
    const devices = readdirSync('/dev', { withFileTypes: true })
      .filter(entry => entry.isCharacterDevice() || entry.isBlockDevice())
      .map(({ name }) => name)
    const { stdout } = await execa('stat', ['-c', '%t:%T', ...devices.map(name => `/dev/${name}`)])
    const expected = stdout.split('\n').map(line =>
      line
        .split(':')
        .map(hex => Number.parseInt(hex, 16))
        .join(':')
    )
    const seen = await Promise.all(devices.map(async name => (await localHost('/').stat(`/dev/${name}`))?.device))
    expect(seen).toEqual(expected)
  })
})

describe('a path that cannot be read is a HostError and not a missing file', () => {
  // fs/proc/base.c: address 0 is not mapped in any process.
  test('EIO of /proc/self/mem', async () => {
    expect(await refusal(localHost('/proc').read('/self/mem'))).toMatchObject({
      code: 'EIO',
      path: '/self/mem',
      message: '/self/mem cannot be read: EIO (input/output error)'
    })
  })

  // A sysctl of mode 0200 refuses root too.
  test('EACCES of a sysctl that can only be written', async () => {
    for (const host of [localHost('/'), localHost('/.'), localHost('//')]) {
      expect((await refusal(host.read('/proc/sys/net/ipv4/route/flush'))).message).toContain('EACCES (permission denied)')
    }
  })

  test('stat works and read fails for a file of mode 000', async () => {
    const root = temporary({ 'etc/secret': 'x\n' })
    chmodSync(root, 0o755)
    chmodSync(join(root, 'etc/secret'), 0o000)
    const [error, stat] = await asNobody(async () => [
      await refusal(localHost(root).read('/etc/secret')),
      await localHost(root).stat('/etc/secret')
    ])
    expect(error).toMatchObject({ code: 'EACCES', path: '/etc/secret' })
    expect(stat).toMatchObject({ kind: 'file', mode: 0 })
  })

  test('every path below a directory of mode 000 is unknown, not missing', async () => {
    const root = temporary({ 'closed/file': 'x\n', link: { link: '/closed/file' } })
    chmodSync(root, 0o755)
    chmodSync(join(root, 'closed'), 0o000)
    const host = localHost(root)
    const errors = await asNobody(async () => {
      const looks = [
        host.read('/closed/file'),
        host.read('/closed/absent'),
        host.stat('/closed/absent'),
        host.list('/closed'),
        host.list('/closed/absent'),
        host.realpath('/link'),
        host.statfs('/closed/file')
      ]
      return await Promise.all(looks.map(refusal))
    })
    chmodSync(join(root, 'closed'), 0o755)
    expect(errors.map(({ code }) => code)).toEqual(errors.map(() => 'EACCES'))
  })

  test('a name that is too long or contains a null byte', async () => {
    expect(await refusal(hostOf({}).read(`/${'x'.repeat(300)}`))).toBeInstanceOf(HostError)
    expect(await refusal(hostOf({}).read('/nul\0byte'))).toBeInstanceOf(HostError)
    expect(await refusal(localHost('/').read('/nul\0byte'))).toBeInstanceOf(HostError)
  })
})

test('a process without CPU for longer than the timeout still returns what it has read', { timeout: 20_000 }, async () => {
  const reading = hostOf({ 'etc/hostname': 'here\n' }).read('/etc/hostname')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_100)
  expect(await reading).toBe('here\n')
})

describe('a directory', () => {
  test('is listed sorted, hidden names and dangling links too', async () => {
    const host = hostOf({ 'd/b': '', 'd/a': '', 'd/.hidden': '', 'd/10': '', 'd/9': '', 'd/dangling': { link: '/no' } })
    expect(await host.list('/d')).toEqual(['.hidden', '10', '9', 'a', 'b', 'dangling'])
    expect(await host.list('/')).toEqual(['d'])
  })

  test('lies on a file system with the space that statfs(2) reports', async () => {
    const root = temporary({ 'var/lib': { link: '/data' }, data: 'directory/' })
    const { blocks, bsize } = statfsSync(root)
    const space = await localHost(root).statfs('/var/lib')
    expect(space?.total).toBe(blocks * bsize)
    expect(space?.free).toBeGreaterThanOrEqual(0)
    expect(space?.free).toBeLessThanOrEqual(blocks * bsize)
  })

  test('has the mode that it was given, with the sticky bit', async () => {
    const root = temporary({ tmp: 'directory/' })
    chmodSync(join(root, 'tmp'), 0o1777)
    expect(await localHost(root).stat('/tmp')).toEqual({ kind: 'directory', mode: 0o1777, device: '' })
  })
})

test('a root that ends with slashes is the same root', async () => {
  const root = temporary({ file: 'x\n' })
  expect(await localHost(`${root}///`).realpath('/file')).toBe('/file')
})

test('a root that is itself reached by a link is the root it leads to', async () => {
  const root = temporary({ 'real/etc/link': { link: '/etc/file' }, 'real/etc/file': 'x\n', alias: { link: 'real' } })
  expect(await localHost(join(root, 'alias')).read('/etc/link')).toBe('x\n')
})

test('the root / gives the same answers as another path to the same root', async () => {
  const [direct, resolved] = [localHost('/'), localHost('/.')]
  for (const path of ['/proc/version', '/etc/passwd', '/dev/null', '/proc/self/ns', '/usr', '/nowhere', '/proc/sys/kernel']) {
    expect(await direct.stat(path)).toEqual(await resolved.stat(path))
    expect(await direct.realpath(path)).toBe(await resolved.realpath(path))
    const [text, same] = await Promise.allSettled([direct.read(path), resolved.read(path)])
    expect(same).toEqual(text)
  }
  expect(await direct.realpath('/proc/self')).toBe(realpathSync('/proc/self'))
  expect(await direct.read('/proc/sys/kernel/osrelease')).toBe(readFileSync('/proc/sys/kernel/osrelease', 'utf8'))
})

describe('a program of the node', () => {
  const host = localHost('/')

  test('is run, and its standard output is the answer whatever it ends with', async () => {
    expect(await host.run([script(temporary(), 'echo none; echo complaint >&2; exit 1')])).toBe('none')
  })

  test('gets its arguments as they are, without a shell', async () => {
    expect(await host.run([script(temporary(), 'printf "%s|" "$@"'), '$HOME', '*', 'a b', ';id'])).toBe('$HOME|*|a b|;id|')
  })

  test('has an empty environment and an empty input', async () => {
    const env = (await localHost('/').stat('/usr/bin/env')) === undefined ? '/bin/env' : '/usr/bin/env'
    expect(Object.keys(process.env)).not.toEqual([])
    expect(await host.run([env])).toBe('')
    expect(await host.run([script(temporary(), 'exec cat')])).toBe('')
  })

  test('that takes too long is killed, which is ETIMEDOUT', async () => {
    const path = script(temporary(), 'exec sleep 600')
    expect(await refusal(host.run([path, 'x']))).toMatchObject({ code: 'ETIMEDOUT', path: `${path} x` })
  })

  test('that ignores signals, or leaves a child with its output, does not block', async () => {
    const deaf = host.run([script(temporary(), "trap '' TERM INT HUP; sleep 20; sleep 20")])
    const parent = host.run([script(temporary(), 'sleep 20 & echo none')])
    const refusals = await Promise.all([deaf, parent].map(refusal))
    expect(refusals.map(({ code }) => code)).toEqual(['ETIMEDOUT', 'ETIMEDOUT'])
  })

  test('that prints more than the cap is EFBIG, and one that prints exactly the cap is read', async () => {
    expect((await refusal(host.run([script(temporary(), 'while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done')]))).code).toBe(
      'EFBIG'
    )
    expect(await host.run([script(temporary(), 'printf "%065536d" 0')])).toHaveLength(65_536)
  })

  test('that a signal ended is an error, whatever it printed before', async () => {
    expect((await refusal(host.run([script(temporary(), 'echo none; kill -9 $$')]))).message).toContain('SIGKILL')
  })

  test.each([
    ['is not there', {}],
    ['is a directory', { 'script.sh': 'directory/' }],
    ['is no program', { 'script.sh': 'text\n' }],
    ['is a dangling link', { 'script.sh': { link: 'nowhere' } }]
  ] as const)('that %s gives no answer', async (_, entries) => {
    expect(await host.run([join(temporary(entries), 'script.sh')])).toBeUndefined()
  })

  test('of another root is never run', async () => {
    const root = temporary()
    script(root, `touch ${root}/ran`)
    const other = localHost(root)
    expect(await other.run(['/script.sh'])).toBeUndefined()
    expect(await other.run([join(root, 'script.sh')])).toBeUndefined()
    expect(readdirSync(root)).toEqual(['script.sh'])
  })
})

test('the architecture has its Go name', async () => {
  expect(await localHost('/').arch()).toBe({ x64: 'amd64', arm64: 'arm64' }[process.arch as string])
})

describe('the inventory', () => {
  test('is of the machine that this process runs on', async () => {
    const inventory = await localHost('/').inventory()
    expect(inventory?.cpu.cores).toBeGreaterThan(0)
    expect(inventory?.memory.total).toBeGreaterThan(0)
    expect(inventory?.disks).toBeInstanceOf(Array)
  })

  test('ends in time if a program that it runs hangs', async () => {
    const folder = temporary()
    const started = join(folder, 'started')
    // What answers at all answers as nothing; `lsblk` of a node whose disk is gone does not.
    writeFileSync(join(folder, 'lsblk'), `#!/bin/sh\necho $$ >> ${started}\nexec sleep 600\n`, { mode: 0o755 })
    const program = `
      import { localHost } from ${JSON.stringify(new URL('../../../src/host/local.ts', import.meta.url).href)}
      await localHost('/').inventory().catch(({ name, message }) => console.log(name, message))
      process.exit()`
    const env = { PATH: `${folder}:${process.env['PATH']}` }
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', program], { env })
    const [pid = ''] = readFileSync(started, 'utf8').split('\n')
    // The other is still at it when ours has ended.
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n')
    process.kill(Number(pid), 'SIGKILL')
    expect(stdout).toBe('HostError the inventory cannot be read: ETIMEDOUT (no answer in time)')
  })

  test.each([
    ['has no boot id', {}],
    ['has another boot id', { 'proc/sys/kernel/random/boot_id': '5f0f5c1a-3a51-4c9a-8b5e-0c1d2e3f4a5b\n' }]
  ])('of a root that %s is not taken', async (_, entries) => {
    expect(await hostOf(entries).inventory()).toBeUndefined()
  })
})
