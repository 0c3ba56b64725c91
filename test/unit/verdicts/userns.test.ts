import { describe, expect, test } from 'vitest'
import type { FactName } from '../../../src/facts/observe.ts'
import type { TrialName } from '../../../src/facts/proofs.ts'
import { kubeletAtLeast } from '../../../src/verdicts/kubelet.ts'
import { judgeUserns } from '../../../src/verdicts/userns.ts'
import type { Answer } from '../../../src/verdicts/verdict.ts'
import { allParts, distro, factsOf, IDEAL, kernel, proofs, storage, type Values } from '../node-facts.ts'

const NEW: Partial<Values> = { kernel: kernel('6.8.0-45-generic') }
const judge = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]) =>
  judgeUserns(factsOf({ ...NEW, ...changes }, ...unknowns))
const node = (changes: Partial<Values['node']>): Partial<Values> => ({ node: { ...IDEAL.node, ...changes } })
const limits = (changes: Partial<Values['user-namespaces']>): Partial<Values> => ({
  'user-namespaces': { ...IDEAL['user-namespaces'], ...changes }
})
const on = (type: string): Partial<Values> => ({ storage: storage({ type }) })
const tried = (name: TrialName, outcome: 'works' | 'fails'): Partial<Values> => ({ proofs: proofs({ [name]: outcome }) })

test('a node with all of it hosts such pods, without a caution', () => {
  expect(judge()).toMatchObject({
    answer: 'yes',
    cautions: [],
    because:
      'the default runtime handler supports user namespaces; user.max_user_namespaces is 65536; kernel 6.8.0-45-generic is at or above 6.3'
  })
})

describe('such a pod', () => {
  test.each<[string, Partial<Values>, Answer, string]>([
    [
      'with a handler that cannot',
      node({ userNamespaceHandlers: { '': false, runc: true } }),
      'no',
      'containerd://1.7.27 does not'
    ],
    ['with another handler that can', node({ userNamespaceHandlers: { runc: true } }), 'unknown', 'does not report whether'],
    ['with another handler that cannot', node({ userNamespaceHandlers: { '': true, kata: false } }), 'yes', 'the default'],
    ['with a limit of 0, whatever the handler says', limits({ max: 0 }), 'no', 'user.max_user_namespaces is 0'],
    ['without CONFIG_USER_NS', limits({ compiled: false, max: 0 }), 'no', 'built without user namespaces'],
    ['where only root may make user namespaces', limits({ unprivileged: false }), 'yes', 'user.max_user_namespaces is 65536'],
    ['with a covered /proc', { procfs: ['/proc/cmdline'] }, 'no', 'something is mounted over /proc/cmdline'],
    ['on 6.3', { kernel: kernel('6.3.0') }, 'yes', 'kernel 6.3.0 is at or above 6.3'],
    ['on 6.2', { kernel: kernel('6.2.16') }, 'unknown', 'between 5.19 and 6.3'],
    ['on 5.19', { kernel: kernel('5.19.0') }, 'unknown', 'between 5.19 and 6.3'],
    ['on 5.18', { kernel: kernel('5.18.0') }, 'no', 'kernel 5.18.0 is below 5.19'],
    ['on 5.14 of EL 9', { kernel: kernel('5.14.0-570.12.1.el9_6.x86_64') }, 'unknown', '5.14 with changes by its distribution'],
    ['on 5.14 of openSUSE', { kernel: kernel('5.14.0-1-default'), distro: distro('opensuse') }, 'no', 'is below 5.19'],
    ['on overlay', on('overlay'), 'no', 'is on overlay (mounted at /), which cannot be ID-mapped'],
    ['on NFS', on('nfs4'), 'no', 'is on nfs4 (mounted at /), which cannot be ID-mapped'],
    ['on ZFS', on('zfs'), 'unknown', 'only a trial can show'],
    ['on ZFS where a trial worked', { ...on('zfs'), ...tried('id-mapped-mount', 'works') }, 'yes', 'the default'],
    ['on tmpfs', on('tmpfs'), 'yes', 'the default'],
    ['on btrfs', on('btrfs'), 'yes', 'the default'],
    ['where a trial mount failed', tried('id-mapped-mount', 'fails'), 'no', 'a trial mount failed'],
    [
      'where overlay on an ID-mapped mount failed',
      tried('overlay-on-id-mapped', 'fails'),
      'no',
      'overlayfs on an ID-mapped mount failed'
    ],
    ['of a kubelet 1.33', node({ kubelet: 'v1.33.0' }), 'yes', 'the default'],
    ['of a kubelet 1.32', node({ kubelet: 'v1.32.9' }), 'unknown', 'kubelet v1.32.9 is not known to be 1.33 or newer'],
    ['of an unknown kubelet', node({ kubelet: '' }), 'unknown', 'kubelet of unknown version'],
    ['of a kubelet in a user namespace', node({ runningInUserNamespace: true }), 'no', 'runs in a user namespace itself'],
    ['of a kubelet in none', node({ runningInUserNamespace: false }), 'yes', 'the default']
  ])('%s', (_, changes, answer, because) => {
    const verdict = judge(changes)
    expect(verdict.answer).toBe(answer)
    expect(verdict.because).toContain(because)
    if (answer !== 'yes') expect(verdict.wayOut).not.toEqual([])
    // Nothing of this is about Sysbox.
    expect(JSON.stringify(verdict)).not.toMatch(/sysbox/i)
  })

  test.each<FactName>(['node', 'user-namespaces', 'procfs', 'kernel', 'storage', 'proofs'])('without %s is unknown', name => {
    expect(judge({}, name)).toMatchObject({ answer: 'unknown', wayOut: [expect.any(String)] })
  })

  test('has a way out where the Node object is missing', () => {
    expect(judge({}, 'node').wayOut).toEqual(['Pass the Node object with --node FILE.'])
  })
})

test('an older kubelet is believed to run in no user namespace if berth runs in none', () => {
  const outer = (...unknowns: readonly FactName[]) =>
    allParts(judge(node({ runningInUserNamespace: undefined }), ...unknowns)).find(({ name }) => name.startsWith("kubelet's own"))
  expect(outer()).toMatchObject({ answer: 'yes', facts: ['node', 'user-namespaces'] })
  expect(outer('user-namespaces')?.answer).toBe('unknown')
})

test.each<[string, boolean | undefined]>([
  ['v1.33.0', true],
  ['v1.33.4-eks-99d6cc0', true],
  ['v1.100.1', true],
  ['v1.32.9', false],
  ['v1.9.1', false],
  ['v2.0.0', undefined],
  ['1.33.0', undefined],
  ['v1.33', undefined],
  ['', undefined]
])('kubelet %j is at least 1.33: %s', (kubelet, answer) => {
  expect(kubeletAtLeast(kubelet, 33)).toBe(answer)
})

test('only on kernel 5.14 the distribution matters, and is named', () => {
  const facts = (release: string) => allParts(judge({ kernel: kernel(release) })).find(({ name }) => name === 'kernel')?.facts
  expect(facts('5.14.0-1-default')).toEqual(['kernel', 'distro'])
  expect(facts('5.13.0')).toEqual(['kernel'])
  expect(facts('6.1.0')).toEqual(['kernel'])
  expect(judge({ kernel: kernel('5.14.0-1-default') }, 'distro').answer).toBe('unknown')
})
