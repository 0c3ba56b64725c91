import { describe, expect, test } from 'vitest'
import { detectNamespaceLimits } from '../../../src/facts/namespace-limits.ts'
import { detectUserNamespaces, parseUidMapStart } from '../../../src/facts/user-namespaces.ts'
import { endless, everyParsed, garbage } from './garbage.ts'
import { type Answers, detect } from './replay.ts'

const OWN = '         0          0 4294967295\n'

describe('the outside start of a uid_map', () => {
  test.each([
    [OWN, 0],
    ['         0     100000      65536\n', 100_000],
    ['0 1000 1\n1 100000 65536\n', 1000],
    ['1000 0 1\n', 0],
    ['         0  231072  65536\n', 231_072]
  ])('%j is %i', (text, start) => {
    expect(parseUidMapStart(text)).toBe(start)
  })

  test.each([[''], ['\n'], ['0 0'], ['0 0 4294967295'], ['a 0 1\n'], ['0 -1 1\n'], ['0 0 1 2\n'], ['\0\0\0\n']])(
    'is not found in %j',
    text => {
      expect(parseUidMapStart(text)).toBeUndefined()
    }
  )

  test('of any bytes is a number from the first line, or nothing', () => {
    everyParsed(garbage(OWN, '0 100000 65536\n'), parseUidMapStart, (start, text) => {
      expect(Number(text.trim().split(/\s+/)[1])).toBe(start)
      expect(text).toContain('\n')
    })
  })

  test.each([[endless('0 ')], [endless(' ')], [endless('1')], [endless('\n')], [endless(' ', '0', 'x')]])(
    'of 1 MB is judged like any other (%#)',
    text => {
      expect(parseUidMapStart(text)).toBeUndefined()
    }
  )
})

describe('user namespaces', () => {
  const node: Answers = {
    '/proc/sys/kernel': ['osrelease'],
    '/proc/self/uid_map': OWN,
    '/proc/self/ns': ['mnt', 'pid', 'user'],
    '/proc/sys/user/max_user_namespaces': '15245\n',
    '/proc/sys/kernel/unprivileged_userns_clone': undefined
  }

  test.each<[string, Answers, object]>([
    ['as usual', {}, { compiled: true, max: 15_245, unprivileged: true }],
    [
      'with Debian’s switch on',
      { '/proc/sys/kernel/unprivileged_userns_clone': '1\n' },
      { compiled: true, max: 15_245, unprivileged: true }
    ],
    [
      'with Debian’s switch off',
      { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' },
      { compiled: true, max: 15_245, unprivileged: false }
    ],
    [
      'as fresh Bottlerocket has them',
      { '/proc/sys/user/max_user_namespaces': '0\n' },
      { compiled: true, max: 0, unprivileged: true }
    ],
    ['not compiled in', { '/proc/self/ns': ['mnt', 'pid'] }, { compiled: false, max: 0, unprivileged: false }]
  ])('%s', async (_, answers, value) => {
    expect(await detect(detectUserNamespaces, { ...node, ...answers })).toEqual({ value })
  })

  test.each<[string, Answers, string]>([
    ['inside one', { '/proc/self/uid_map': '0 100000 65536\n' }, 'its own user namespace (/proc/self/uid_map begins at 100000)'],
    ['with a garbled uid_map', { '/proc/self/uid_map': 'x\n' }, 'has an unexpected format'],
    ['without a uid_map', { '/proc/self/uid_map': undefined }, 'is missing'],
    ['without /proc/self/ns', { '/proc/self/ns': undefined }, 'is missing'],
    ['without a limit', { '/proc/sys/user/max_user_namespaces': undefined }, 'is missing'],
    ['with a garbled limit', { '/proc/sys/user/max_user_namespaces': 'many\n' }, 'not a number'],
    ['with an unreadable limit', { '/proc/sys/user/max_user_namespaces': { error: 'EACCES' } }, 'EACCES'],
    ['with an unreadable switch', { '/proc/sys/kernel/unprivileged_userns_clone': { error: 'EACCES' } }, 'EACCES'],
    ['without /proc', { '/proc/sys/kernel': undefined }, '/proc of the node is not mounted']
  ])('are unknown %s', async (_, answers, why) => {
    expect(await detect(detectUserNamespaces, { ...node, ...answers })).toEqual({ unsure: expect.stringContaining(why) })
  })

  test('of other kinds have their limits, which are unknown inside a user namespace', async () => {
    const limits = {
      '/proc/self/uid_map': OWN,
      '/proc/sys/user/max_mnt_namespaces': '15245\n',
      '/proc/sys/user/max_pid_namespaces': '3\n'
    }
    expect(await detect(detectNamespaceLimits, limits)).toEqual({ value: { mnt: 15_245, pid: 3 } })
    expect(await detect(detectNamespaceLimits, { ...limits, '/proc/self/uid_map': '0 1 1\n' })).toHaveProperty('unsure')
    expect(await detect(detectNamespaceLimits, { ...limits, '/proc/sys/user/max_pid_namespaces': undefined })).toHaveProperty(
      'unsure'
    )
  })
})
