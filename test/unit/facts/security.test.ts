import { describe, expect, test } from 'vitest'
import { detectFuse } from '../../../src/facts/fuse.ts'
import { detectSeccomp } from '../../../src/facts/seccomp.ts'
import { detectSeccompDefault } from '../../../src/facts/seccomp-default.ts'
import { detectSeLinux } from '../../../src/facts/selinux.ts'
import { detectYama } from '../../../src/facts/yama.ts'
import { type Answers, detect } from './replay.ts'

describe('SELinux', () => {
  test.each<[string, Answers[string], object]>([
    ['absent', undefined, { value: 'absent' }],
    ['permissive', '0', { value: 'permissive' }],
    ['enforcing', '1', { value: 'enforcing' }],
    ['not known with 2', '2', { unsure: expect.stringContaining('neither 0 nor 1') }],
    ['not known with garbage', 'Enforcing', { unsure: expect.stringContaining('not a number') }],
    ['not known when closed', { error: 'EACCES' }, { unsure: expect.stringContaining('EACCES') }]
  ])('is %s', async (_, answer, found) => {
    expect(
      await detect(detectSeLinux, { '/sys/fs': ['selinux'], '/sys/fs/selinux': undefined, '/sys/fs/selinux/enforce': answer })
    ).toEqual(found)
  })

  test('is unknown if its file system is not mounted', async () => {
    const found = await detect(detectSeLinux, {
      '/sys/fs': ['selinux'],
      '/sys/fs/selinux': [],
      '/sys/fs/selinux/enforce': undefined
    })
    expect(found).toEqual({ unsure: expect.stringContaining('not mounted') })
  })

  test('is unknown without /sys', async () => {
    expect(await detect(detectSeLinux, { '/sys/fs': undefined })).toEqual({ unsure: expect.stringContaining('not mounted') })
  })
})

describe('seccomp', () => {
  const path = '/proc/sys/kernel/seccomp/actions_avail'

  test.each<[string, Answers[string], readonly string[]]>([
    [
      'has its actions',
      'kill_process kill_thread trap errno user_notif trace log allow\n',
      ['kill_process', 'kill_thread', 'trap', 'errno', 'user_notif', 'trace', 'log', 'allow']
    ],
    ['has none where it is not compiled in', undefined, []],
    ['has none in an empty file', '', []]
  ])('%s', async (_, answer, value) => {
    expect(await detect(detectSeccomp, { '/proc/sys/kernel': ['x'], [path]: answer })).toEqual({ value })
  })

  test('is unknown if it cannot be read', async () => {
    expect(await detect(detectSeccomp, { '/proc/sys/kernel': ['x'], [path]: { error: 'EPERM' } })).toHaveProperty('unsure')
  })
})

test.each<[Answers[string], object]>([
  [undefined, { value: 'absent' }],
  ['0\n', { value: 0 }],
  ['3\n', { value: 3 }],
  ['x', { unsure: expect.stringContaining('not a number') }],
  [{ error: 'EACCES' }, { unsure: expect.stringContaining('EACCES') }]
])('Yama’s scope of %j is read as %j', async (answer, found) => {
  expect(await detect(detectYama, { '/proc/sys/kernel': ['x'], '/proc/sys/kernel/yama/ptrace_scope': answer })).toEqual(found)
})

describe('FUSE', () => {
  const node: Answers = {
    '/proc/sys/kernel': ['x'],
    '/proc/filesystems': 'nodev\tsysfs\n\text4\nnodev\tfuse\n\tfuseblk\nnodev\tfusectl\n',
    '/dev': ['fuse'],
    '/dev/fuse': { stat: { kind: 'character', mode: 0o666, device: '10:229' } }
  }

  test.each<[string, Answers, object]>([
    ['there', {}, { registered: true, device: { number: '10:229', mode: 0o666 } }],
    [
      'not registered by its relatives',
      { '/proc/filesystems': '\tfuseblk\nnodev\tfusectl\nnodev\tvirtiofuse\n' },
      { registered: false }
    ],
    ['there without a device', { '/dev/fuse': undefined }, { registered: true, device: undefined }],
    [
      'there with a closed device',
      { '/dev/fuse': { stat: { kind: 'character', mode: 0o600, device: '10:229' } } },
      { device: { number: '10:229', mode: 0o600 } }
    ],
    ['there with a file for a device', { '/dev/fuse': 'text' }, { device: { number: 'file', mode: 0o755 } }]
  ])('is %s', async (_, answers, value) => {
    expect(await detect(detectFuse, { ...node, ...answers })).toEqual({ value: expect.objectContaining(value) })
  })

  test.each<[string, Answers]>([
    ['a list that is cut short', { '/proc/filesystems': 'nodev\tsysfs\nnodev\tfu' }],
    ['no list', { '/proc/filesystems': undefined }],
    ['no /dev', { '/dev': undefined, '/dev/fuse': undefined }],
    ['a closed /dev', { '/dev/fuse': { error: 'EACCES' } }]
  ])('is unknown with %s', async (_, answers) => {
    expect(await detect(detectFuse, { ...node, ...answers })).toHaveProperty('unsure')
  })
})

describe('the kubelet’s seccompDefault', () => {
  const paths = [
    '/var/lib/kubelet/config.yaml',
    '/etc/kubernetes/kubelet/config.json',
    '/etc/kubernetes/kubelet/kubelet-config.json'
  ]
  const none: Answers = Object.fromEntries(paths.map(path => [path, undefined]))
  const seen = async (answers: Answers) => await detect(detectSeccompDefault, { ...none, ...answers })

  test.each<[string, string]>([
    ['seccompDefault: true\n', 'on'],
    ['  seccompDefault:   true # comment\n', 'on'],
    ['{\n  "seccompDefault": true,\n  "x": 1\n}\n', 'on'],
    ['"seccompDefault" : true\n', 'on'],
    ['seccompDefault: false\n', 'off'],
    ['seccompDefault: truely\n', 'off'],
    ['seccompDefaults: true\n', 'off'],
    ['# seccompDefault: true\nkind: KubeletConfiguration\n', 'off'],
    ['xseccompDefault: true\n', 'off']
  ])('of %j is %s', async (text, value) => {
    for (const path of paths) expect(await seen({ [path]: text }), path).toEqual({ value })
  })

  test('is unseen if no file can be read, else from the first that can', async () => {
    expect(await seen({})).toEqual({ value: 'unseen' })
    const [first = '', second = '', third = ''] = paths
    expect(await seen({ [first]: { error: 'EACCES' }, [second]: 'x: 1\n', [third]: 'seccompDefault: true\n' })).toEqual({
      value: 'off'
    })
    expect(await seen({ [first]: { error: 'EACCES' }, [second]: { error: 'EACCES' } })).toEqual({ value: 'unseen' })
  })
})
