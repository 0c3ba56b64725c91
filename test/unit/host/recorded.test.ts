import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { HostError, type HostReader } from '../../../src/host/host.ts'
import { localHost } from '../../../src/host/local.ts'
import { parseRecording, type Recording, recordedHost, UnrecordedError, writeRecording } from '../../../src/host/recorded.ts'
import { witness } from '../../../src/host/witness.ts'
import { pretendHost } from './pretend.ts'
import { temporary } from './temporary.ts'

const FUSE = /^nodev\tfuse$/
const OVERLAY = /overlay/

const ROOT = {
  'etc/os-release': 'NAME="Ubuntu"\nID=ubuntu\n',
  'etc/link': { link: '/etc/os-release' },
  'etc/empty': '',
  'etc/modprobe.d/a.conf': '# nothing\n',
  'etc/modprobe.d/b.conf': 'install fuse /bin/false\n',
  'etc/loop': { link: 'loop' },
  'etc/unended': 'ID=ubu',
  'proc/filesystems': 'nodev\tsysfs\nnodev\tfuse\n\text4\nnodev\toverlay\n',
  'sys/efivar': Buffer.from([6, 0, 0, 0, 1]),
  'var/big': ''
} as const

/** Every kind of question, with every kind of answer. */
const questions = (host: HostReader): readonly Promise<unknown>[] => [
  host.read('/etc/os-release'),
  host.read('/etc/link'),
  host.read('/etc/empty'),
  host.read('/etc/unended'),
  host.read('/etc/nowhere'),
  host.read('/etc'),
  host.read('/etc/loop'),
  host.read('/var/big'),
  host.read('/sys/efivar'),
  host.lines('/proc/filesystems', FUSE),
  host.lines('/proc/filesystems', OVERLAY),
  host.lines('/proc/filesystems', /nothing/),
  host.lines('/etc/unended', FUSE),
  host.lines('/etc/nowhere', FUSE),
  host.list('/etc/modprobe.d'),
  host.list('/var'),
  host.list('/nowhere'),
  host.stat('/etc/os-release'),
  host.stat('/etc/modprobe.d'),
  host.stat('/etc/nowhere'),
  host.stat('/etc/loop'),
  host.realpath('/etc/link'),
  host.realpath('/etc/nowhere/at/all'),
  host.statfs('/var'),
  host.run(['/usr/bin/systemd-detect-virt', '--vm']),
  host.arch(),
  host.inventory()
]

const answers = async (host: HostReader) =>
  (await Promise.allSettled(questions(host))).map(end =>
    end.status === 'fulfilled'
      ? { value: end.value }
      : { error: end.reason.name, code: end.reason.code, message: end.reason.message }
  )

async function recordOf(host: HostReader): Promise<string> {
  const eyes = witness(host)
  await answers(eyes.host)
  return writeRecording(eyes.testimony(), [])
}

describe('a recording', () => {
  test('answers every question as the node did, also with missing files and errors', async () => {
    const root = temporary(ROOT)
    truncateSync(join(root, 'var/big'), 9 * 1024 * 1024)
    const node = {
      ...localHost(root),
      statfs: async () => ({ free: 1, total: 2 }),
      run: async () => 'none',
      arch: async () => 'arm64'
    }
    const replayed = recordedHost(parseRecording(await recordOf(node)))
    expect(await answers(replayed)).toEqual(await answers(node))
  })

  test('of a recording is the same recording', async () => {
    const text = await recordOf({
      ...localHost(temporary(ROOT)),
      inventory: async () => ({ cpu: { model: 'AMD EPYC', cores: 2 }, memory: { total: 1, available: 1 }, disks: [] })
    })
    expect(await recordOf(recordedHost(parseRecording(text)))).toBe(text)
  })

  test('is sorted by path, so that two of them can be compared', async () => {
    const { paths } = load(await recordOf(localHost(temporary(ROOT)))) as Recording
    expect(Object.keys(paths)).toEqual(Object.keys(paths).toSorted())
  })

  test('does not contain the given names', async () => {
    const eyes = witness(
      pretendHost({ read: async () => 'nfs01.example:/export on worker-7\n', list: async () => ['worker-7', 'x'] })
    )
    await Promise.all([eyes.host.read('/proc/1/mountinfo'), eyes.host.list('/srv')])
    const text = writeRecording(eyes.testimony(), ['worker-7'])
    expect(text).not.toContain('worker-7')
    expect(await recordedHost(parseRecording(text)).list('/srv')).toEqual(['node', 'x'])
  })
})

describe('a question that was not recorded', () => {
  const recording: Recording = {
    schema: 1,
    paths: {
      '/etc/os-release': { text: 'ID=ubuntu\n' },
      '/gone': { absent: true },
      '/closed': { error: 'EACCES' },
      '/x': { lines: { '^a': [] } }
    }
  }
  const host = recordedHost(recording)

  test.each<[string, () => Promise<unknown>]>([
    ['read /nowhere', () => host.read('/nowhere')],
    ['list /etc/os-release', () => host.list('/etc/os-release')],
    ['stat /etc/os-release', () => host.stat('/etc/os-release')],
    ['realpath /etc', () => host.realpath('/etc')],
    ['statfs /', () => host.statfs('/')],
    ['lines /x', () => host.lines('/x', /^b/)],
    ['run /usr/bin/systemd-detect-virt --vm', () => host.run(['/usr/bin/systemd-detect-virt', '--vm'])],
    ['read constructor', () => host.read('constructor')],
    ['read __proto__', () => host.read('__proto__')],
    ['arch', () => host.arch()],
    ['inventory', () => host.inventory()]
  ])('is an error that names it: %s', async (question, ask) => {
    const error = await ask().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UnrecordedError)
    // Which makes it an unknown fact.
    expect(error).toBeInstanceOf(HostError)
    expect((error as Error).message).toContain(question)
  })

  test('is answered by `absent` and by `error`, which hold for all questions about a path', async () => {
    expect(await host.stat('/gone')).toBeUndefined()
    expect(await host.lines('/gone', /x/)).toBeUndefined()
    await expect(host.list('/closed')).rejects.toMatchObject({
      code: 'EACCES',
      message: '/closed cannot be read: EACCES (permission denied)'
    })
  })
})

describe('a recording’s text', () => {
  test('may hold a mode of 0 and a full disk', async () => {
    const host = recordedHost(
      parseRecording('schema: 1\npaths:\n  /x: {stat: {kind: file, mode: 0, device: ""}, statfs: {free: 0, total: 5}}\n')
    )
    expect(await host.stat('/x')).toEqual({ kind: 'file', mode: 0, device: '' })
    expect(await host.statfs('/x')).toEqual({ free: 0, total: 5 })
  })

  test('is read from YAML and from JSON', async () => {
    const json = JSON.stringify({ schema: 1, arch: 'amd64', inventory: { absent: true }, paths: { '/a': { text: 'x' } } })
    const yaml = 'schema: 1\narch: amd64\ninventory: {absent: true}\npaths:\n  /a:\n    text: x\n'
    for (const text of [json, yaml]) {
      const host = recordedHost(parseRecording(text))
      expect([await host.arch(), await host.inventory(), await host.read('/a')]).toEqual(['amd64', undefined, 'x'])
    }
  })

  test.each([
    ['nothing', '', 'empty'],
    ['null', 'null\n', 'no "paths"'],
    ['a word', 'hello', 'no "paths"'],
    ['a list', '- a\n', 'no "paths"'],
    ['a Node', 'kind: Node\nmetadata: {name: a}\n', 'no "paths"'],
    ['another schema', 'schema: 2\npaths: {}\n', 'its schema is 2, expected 1'],
    ['no schema', 'paths: {}\n', 'expected 1'],
    ['paths that are a list', 'schema: 1\npaths: []\n', '"paths" is not a mapping'],
    ['paths that are a word', 'schema: 1\npaths: x\n', '"paths" is not a mapping'],
    ['paths that are nothing', 'schema: 1\npaths:\n', '"paths" is not a mapping'],
    ['an entry that is a word', 'schema: 1\npaths:\n  /etc/os-release: ID=ubuntu\n', '/etc/os-release'],
    ['an entry that is nothing', 'schema: 1\npaths:\n  /etc/os-release:\n', '/etc/os-release'],
    [
      'a text that is a number',
      'schema: 1\npaths:\n  /proc/sys/user/max_user_namespaces: {text: 0}\n',
      '/proc/sys/user/max_user_namespaces'
    ],
    ['a list that is a word', 'schema: 1\npaths:\n  /dev: {list: fuse}\n', '/dev'],
    ['a list of numbers', 'schema: 1\npaths:\n  /dev: {list: [1]}\n', '/dev'],
    ['a mode that is missing', 'schema: 1\npaths:\n  /dev/fuse: {stat: {kind: character}}\n', '/dev/fuse'],
    ['lines of which one is a word', 'schema: 1\npaths:\n  /proc/modules: {lines: {a: [x], b: y}}\n', '/proc/modules'],
    ['less than no space', 'schema: 1\npaths:\n  /: {statfs: {free: -1, total: 5}}\n', '"statfs" of / is {"free":-1'],
    ['lines that are a list', 'schema: 1\npaths:\n  /proc/modules: {lines: [fuse]}\n', '/proc/modules'],
    ['a space that is a word', 'schema: 1\npaths:\n  /: {statfs: much}\n', '"statfs" of / is "much"'],
    ['an answer of no known kind', 'schema: 1\npaths:\n  /etc/os-release: {txt: x}\n', '/etc/os-release'],
    ['a disk of no size', 'schema: 1\ninventory: {cpu: {model: x, cores: 1}}\npaths: {}\n', 'inventory is {"cpu":'],
    [
      'a kind of file that there is not',
      'schema: 1\npaths:\n  /x: {stat: {kind: door, mode: 0, device: ""}}\n',
      '"stat" of /x is'
    ],
    [
      'a text that is nested lists',
      JSON.stringify({ schema: 1, paths: { '/x': { text: 0 } } }).replace('0}', `${'['.repeat(300)}${']'.repeat(300)}}`),
      'nesting exceeded'
    ],
    ['an architecture that is a number', 'schema: 1\narch: 64\npaths: {}\n', 'arch'],
    ['what is no YAML', 'a: [b\n', 'deficient indentation']
  ])('that is %s is refused with the reason', (_, text, reason) => {
    expect(() => parseRecording(text)).toThrow(reason)
  })
})
