import { describe, expect, test } from 'vitest'
import { HostError } from '../../../src/host/host.ts'
import type { Testimony, Verb } from '../../../src/host/testimony.ts'
import { evidenceOf, gibibytes, witness } from '../../../src/host/witness.ts'
import { pretendHost } from './pretend.ts'

const told = (verb: Verb, answer: unknown, more: Partial<Testimony> = {}): string =>
  evidenceOf({ verb, subject: '/path', pattern: '', answer, error: undefined, ...more }).saw

describe('a witness', () => {
  test('asks the node once for the same question, also when asked in parallel', async () => {
    const asked: string[] = []
    const { host, testimony } = witness(
      pretendHost({
        read: async path => {
          asked.push(path)
          return `${asked.length}`
        }
      })
    )
    const together = await Promise.all([host.read('/a'), host.read('/a'), host.read('/b')])
    expect([...together, await host.read('/a')]).toEqual(['1', '1', '2', '1'])
    expect(asked).toEqual(['/a', '/b'])
    expect(testimony().map(({ subject }) => subject)).toEqual(['/a', '/b'])
  })

  test('remembers missing files and failures too', async () => {
    let asked = 0
    const { host, testimony } = witness(
      pretendHost({
        read: async path => {
          asked += 1
          if (path === '/closed') throw new HostError(path, 'EACCES')
          return undefined
        }
      })
    )
    for (const _ of [1, 2]) {
      expect(await host.read('/absent')).toBeUndefined()
      await expect(host.read('/closed')).rejects.toMatchObject({ code: 'EACCES' })
    }
    expect(asked).toBe(2)
    expect(testimony()).toMatchObject([
      { verb: 'read', subject: '/absent', answer: undefined, error: undefined },
      { verb: 'read', subject: '/closed', answer: undefined, error: { code: 'EACCES' } }
    ])
  })

  test('does not mix questions of different kinds or patterns', async () => {
    const { host, testimony } = witness(
      pretendHost({
        read: async () => 'text',
        list: async () => ['entry'],
        lines: async (_, pattern) => [pattern.source],
        run: async argv => argv.join('|'),
        arch: async () => 'arm64',
        inventory: async () => undefined
      })
    )
    expect(await host.read('/x')).toBe('text')
    expect(await host.list('/x')).toEqual(['entry'])
    expect(await host.lines('/x', /^a/)).toEqual(['^a'])
    expect(await host.lines('/x', /^b/)).toEqual(['^b'])
    expect(await host.run(['/bin/p', '--vm'])).toBe('/bin/p|--vm')
    expect(await host.arch()).toBe('arm64')
    expect(await host.inventory()).toBeUndefined()
    expect(testimony().map(({ verb, subject, pattern }) => [verb, subject, pattern])).toEqual([
      ['read', '/x', ''],
      ['list', '/x', ''],
      ['lines', '/x', '^a'],
      ['lines', '/x', '^b'],
      ['run', '/bin/p --vm', ''],
      ['arch', '', ''],
      ['inventory', '', '']
    ])
  })

  test('throws a bug and does not record it', async () => {
    const { host, testimony } = witness(
      pretendHost({
        read: async () => {
          throw new TypeError('a bug')
        }
      })
    )
    await expect(host.read('/x')).rejects.toThrow(TypeError)
    expect(testimony()).toEqual([])
  })
})

describe('evidence', () => {
  test.each<[string, Verb, unknown, string]>([
    ['a line of text', 'read', '5.15.0-1084-aws\n', '5.15.0-1084-aws'],
    ['the first line of more', 'read', 'NAME=Bottlerocket\nID=bottlerocket\nVERSION_ID=1.47.0\n', 'NAME=Bottlerocket (+2 lines)'],
    ['an empty file', 'read', '', 'an empty file'],
    ['a file that holds one empty line', 'read', '\n', ''],
    ['tabs as spaces', 'read', 'nodev\tfuse\n', 'nodev fuse'],
    ['what a program printed', 'run', 'none', 'none'],
    ['an architecture', 'arch', 'amd64', 'amd64'],
    ['lines', 'lines', ['fuse 1 0', 'overlay 2 0 '], 'fuse 1 0 · overlay 2 0'],
    ['a list', 'list', ['cgroup', 'user'], 'cgroup · user'],
    ['an empty list', 'list', [], 'an empty directory'],
    [
      'where a link leads',
      'realpath',
      '/usr/src/linux-headers-6.8.0-45-generic',
      'leads to /usr/src/linux-headers-6.8.0-45-generic'
    ],
    ['a device', 'stat', { kind: 'character', mode: 0o600, device: '10:229' }, 'character device 10:229, mode 0600'],
    ['a directory', 'stat', { kind: 'directory', mode: 0o1777, device: '' }, 'directory, mode 1777'],
    ['free space', 'statfs', { free: 12.34 * 1024 ** 3, total: 100 * 1024 ** 3 }, '12.3 GiB free of 100.0 GiB'],
    ['an inventory', 'inventory', { cpu: {} }, 'asked'],
    ['an absence', 'read', undefined, 'not there'],
    ['an absence of a directory', 'list', undefined, 'not there'],
    ['another machine', 'inventory', undefined, 'not read: the node is another machine']
  ])('describes %s', (_, verb, answer, saw) => {
    expect(told(verb, answer)).toBe(saw)
  })

  test('names the pattern that no line matched', () => {
    expect(told('lines', [], { pattern: '^(nodev)?\\tfuse$' })).toBe('no line matches ^(nodev)?\\tfuse$')
  })

  test('names the path of a failure only once', () => {
    const error = new HostError('/path', 'EACCES', { says: 'EACCES (permission denied)' })
    expect(told('read', undefined, { error })).toBe('cannot be read: EACCES (permission denied)')
  })

  test.each<[Verb, string, string]>([
    ['read', '/etc/os-release', '/etc/os-release'],
    ['run', '/usr/bin/systemd-detect-virt --vm', '/usr/bin/systemd-detect-virt --vm'],
    ['arch', '', 'process architecture'],
    ['inventory', '', 'systeminformation']
  ])('of %s %j names its source', (verb, subject, source) => {
    expect(evidenceOf({ verb, subject, pattern: '', answer: undefined, error: undefined }).source).toBe(source)
  })

  test.each<[string, Verb, unknown]>([
    ['an efivar', 'read', '\x06\0\0\0\x01'],
    ['a terminal’s commands', 'read', '\x1b]0;owned\x07\x1b[31m\n'],
    ['a carriage return', 'read', 'real\rfake\n'],
    ['an 8-bit control', 'read', '\x9b31m'],
    ['names in a directory', 'list', ['\x1b[2J', 'b\nc']],
    ['matching lines', 'lines', ['fuse \x1b[2J']],
    ['a program', 'run', '\x1b[2J']
  ])('escapes the control characters of %s', (_, verb, answer) => {
    expect(told(verb, answer)).not.toMatch(/\p{Cc}/u)
    expect(told(verb, answer)).toMatch(/\\u00[0-9a-f]{2}/)
  })

  test('is cut to one line', () => {
    expect(told('read', 'x'.repeat(5000))).toBe(`${'x'.repeat(99)}…`)
    expect(
      told(
        'list',
        Array.from({ length: 500 }, (_, index) => `entry${index}`)
      )
    ).toHaveLength(100)
  })
})

test('bytes are formatted in GiB', () => {
  expect([0, 1024 ** 3, 1.25 * 1024 ** 4].map(gibibytes)).toEqual(['0.0 GiB', '1.0 GiB', '1280.0 GiB'])
})
