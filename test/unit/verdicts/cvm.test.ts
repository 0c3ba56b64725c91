import { describe, expect, test } from 'vitest'
import type { ProfileFile } from '../../../src/facts/apparmor.ts'
import type { Version } from '../../../src/facts/kernel.ts'
import type { FactName } from '../../../src/facts/observe.ts'
import { judgeCvm } from '../../../src/verdicts/cvm.ts'
import { judgeStorage } from '../../../src/verdicts/data-disk.ts'
import { judgeKernel } from '../../../src/verdicts/kernel.ts'
import { type Answer, leaf } from '../../../src/verdicts/verdict.ts'
import { answers, distro, factsOf, IDEAL, kernel, modules, policy, storage, type Values } from '../node-facts.ts'

const cvm = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]) => judgeCvm(factsOf(changes, ...unknowns), policy())

const ENFORCED = new Map([['fusermount3', 'enforce']])

describe('the kernel of a CVM', () => {
  test.each<[string, Version | undefined, Answer]>([
    ['4.19.0', undefined, 'no'],
    ['5.3.18', undefined, 'no'],
    ['5.4.0', undefined, 'unknown'],
    ['5.4.0-1065-gke', undefined, 'unknown'],
    ['5.6.99', undefined, 'unknown'],
    ['5.7.0', undefined, 'yes'],
    ['5.10.127+', undefined, 'yes'],
    ['5.15.0-1084-aws', undefined, 'yes'],
    ['6.1.66', undefined, 'yes'],
    ['10.0', undefined, 'yes'],
    ['5.3.18', [5, 4], 'no'],
    ['5.4.0', [5, 4], 'yes'],
    ['5.6.99', [5, 4], 'yes'],
    ['5.9.0', [5, 10], 'no'],
    ['5.10.0', [5, 9], 'yes'],
    ['5.15.0-1084-aws', [6, 1], 'no'],
    ['6.1.66', [6, 1], 'yes'],
    ['10.0', [6, 1], 'yes'],
    ['4.18.0-425.10.1.el8_7.x86_64', [4, 18], 'yes']
  ])('%s with minimum %j is %s', (release, minimum, answer) => {
    const verdict = judgeKernel(kernel(release), minimum)
    expect(verdict.answer).toBe(answer)
    expect(verdict.because).toContain(release)
    expect(leaf('kernel', [], verdict).wayOut).toHaveLength(answer === 'yes' ? 0 : 1)
  })
})

describe('the storage of a CVM', () => {
  test.each<[string, string, Answer]>([
    ['ext4', '5.15.0', 'yes'],
    ['xfs', '5.15.0', 'yes'],
    ['btrfs', '5.15.0', 'yes'],
    ['btrfs', '5.14.0', 'unknown'],
    ['ext2', '5.15.0', 'unknown'],
    ['ext3', '6.1.0', 'unknown'],
    ['zfs', '5.15.0', 'unknown'],
    ['f2fs', '6.1.0', 'unknown'],
    ['zfs', '5.11.0', 'yes'],
    ['ext3', '5.4.0', 'yes'],
    ['ext4', '5.12.0', 'yes'],
    ['zfs', '5.12.0', 'unknown'],
    ['nfs', '5.4.0', 'no'],
    ['nfs4', '6.1.0', 'no'],
    ['overlay', '5.15.0', 'no'],
    ['tmpfs', '5.15.0', 'no'],
    ['tmpfs', '5.4.0', 'no'],
    ['somethingfs', '6.1.0', 'unknown']
  ])('%s on %s is %s', (type, release, answer) => {
    const verdict = judgeStorage(storage({ type }), kernel(release))
    expect(verdict.answer).toBe(answer)
    expect(verdict.because).toContain(type)
  })

  test('is a no on NFS even with an unknown kernel, else unknown', () => {
    expect(judgeStorage(storage({ type: 'nfs' }), undefined).answer).toBe('no')
    expect(judgeStorage(storage(), undefined).answer).toBe('unknown')
  })

  test.each([
    [storage({ noExec: true }), 'noexec'],
    [storage({ free: 49.9e9 }), '50 GB'],
    [storage({ free: 0 }), '50 GB']
  ])('is a yes with a caution (%#)', (found, caution) => {
    const verdict = judgeStorage(found, kernel('5.15.0'))
    expect(verdict.answer).toBe('yes')
    expect(verdict.caution).toContain(caution)
  })

  test('with 50 GB free needs no caution', () => {
    expect(judgeStorage(storage({ free: 50e9 }), kernel('5.15.0')).caution).toBeUndefined()
  })
})

describe('a CVM', () => {
  test('runs on the ideal node, without a caution', () => {
    expect(cvm()).toMatchObject({ answer: 'yes', cautions: [], wayOut: [] })
  })

  test.each<[string, Partial<Values>, Answer]>([
    ['on arm64', { architecture: 'arm64' }, 'yes'],
    ['on s390x', { architecture: 's390x' }, 'no'],
    ['on ppc64', { architecture: 'ppc64' }, 'no'],
    ['on COS', { distro: distro('cos', '97') }, 'no'],
    ['on Bottlerocket with an old kernel', { distro: distro('bottlerocket', '1.20.0'), kernel: kernel('6.1.115') }, 'unknown'],
    ['on Bottlerocket', { distro: distro('bottlerocket', '1.47.0'), kernel: kernel('6.12.37') }, 'yes'],
    [
      'on Bottlerocket, where SELinux always enforces',
      { distro: distro('bottlerocket', '2026.8.3'), kernel: kernel('6.18.38'), selinux: 'enforcing' },
      'yes'
    ],
    ['on Talos', { distro: distro('talos', 'v1.8.2') }, 'no'],
    ['on Debian', { distro: distro('debian', '12') }, 'yes'],
    ['on Flatcar', { distro: distro('flatcar', '4459.0.0') }, 'yes'],
    ['on a distribution nobody knows', { distro: distro('nixos', '24.05') }, 'yes'],
    ['on one that is only like COS', { distro: { ...distro('mine'), like: ['cos'] } }, 'yes'],
    ['without user_notif', { seccomp: ['errno', 'user_notification'] }, 'no'],
    ['without seccomp', { seccomp: [] }, 'no'],
    ['without user namespaces', { 'user-namespaces': { compiled: false, max: 0, unprivileged: false } }, 'no'],
    ['with none allowed', { 'user-namespaces': { compiled: true, max: 0, unprivileged: true } }, 'no'],
    ['with Debian’s switch off', { 'user-namespaces': { compiled: true, max: 100, unprivileged: false } }, 'no'],
    ['with one allowed', { 'user-namespaces': { compiled: true, max: 1, unprivileged: true } }, 'yes'],
    ['with SELinux enforcing', { selinux: 'enforcing' }, 'no'],
    ['with SELinux permissive', { selinux: 'permissive' }, 'yes'],
    ['with Yama at 3', { yama: 3 }, 'no'],
    ['with Yama at 2', { yama: 2 }, 'yes'],
    ['without Yama', { yama: 'absent' }, 'yes'],
    [
      'with a read-only /usr and no /usr/src',
      { 'host-paths': { ...IDEAL['host-paths'], '/usr/src': { exists: false, parentWritable: false } } },
      'no'
    ],
    [
      'with /usr/src to be created',
      { 'host-paths': { ...IDEAL['host-paths'], '/usr/src': { exists: false, parentWritable: true } } },
      'yes'
    ],
    ['on an EL 9 kernel', { kernel: kernel('5.14.0-427.13.1.el9_4.x86_64'), distro: distro('rocky', '9.4') }, 'unknown'],
    [
      'on an EL 9 kernel of a distribution like it',
      { kernel: kernel('5.14.0-1'), distro: { ...distro('eurolinux', '9'), like: ['rhel'] } },
      'unknown'
    ],
    ['on 5.14 of another', { kernel: kernel('5.14.0-1042-oem') }, 'yes'],
    ['on EL 8 with an older Sysbox', { kernel: kernel('4.18.0-425.10.1.el8_7.x86_64'), distro: distro('rocky', '8.7') }, 'no']
  ])('%s is %s', (_, changes, answer) => {
    const verdict = cvm(changes)
    expect(verdict.answer).toBe(answer)
    expect(verdict.wayOut.length > 0).toBe(answer !== 'yes')
  })

  test.each<[string, Values['kernel-modules']['modules'], string, Answer]>([
    ['no nf_conntrack', modules({ nf_conntrack: 'absent' }), '5.15.0', 'no'],
    ['no bridge', modules({ bridge: 'absent' }), '5.15.0', 'no'],
    ['no veth', modules({ veth: 'absent' }), '5.15.0', 'no'],
    ['no nf_tables, but ip_tables', modules({ nf_tables: 'absent' }), '5.15.0', 'no'],
    ['no ip_tables and its tables', modules({ ip_tables: 'absent', iptable_nat: 'absent' }), '5.15.0', 'yes'],
    ...(['nf_tables', 'nft_compat', 'nft_chain_nat', 'xt_addrtype', 'xt_conntrack', 'xt_MASQUERADE'] as const).flatMap(
      name =>
        [
          [`no ${name}`, modules({ [name]: 'absent' }), '6.1.0', 'no'],
          [`${name} to be loaded`, modules({ [name]: 'loadable' }), '6.1.0', 'yes'],
          [`nobody knows about ${name}`, modules({ [name]: 'unknown' }), '6.1.0', 'unknown']
        ] as [string, Values['kernel-modules']['modules'], string, Answer][]
    ),
    ['no overlay', modules({ overlay: 'absent' }), '5.15.0', 'no'],
    ['no overlay before 5.12', modules({ overlay: 'absent' }), '5.10.0', 'yes'],
    ['no shiftfs', modules({ shiftfs: 'absent' }), '5.15.0', 'yes']
  ])('with %s is judged by what Sysbox needs (%#)', (_, found, release, answer) => {
    const changes = { kernel: kernel(release), 'kernel-modules': { ...IDEAL['kernel-modules'], modules: found } }
    expect(cvm(changes).answer).toBe(answer)
  })

  test.each([['xt_nat'], ['xt_tcpudp']] as const)('without %s publishes no port, which is a caution', name => {
    for (const state of ['absent', 'unknown'] as const) {
      const found = { ...IDEAL['kernel-modules'], modules: modules({ [name]: state }) }
      const verdict = cvm({ 'kernel-modules': found })
      expect(verdict.answer).toBe('yes')
      expect(verdict.cautions).toContainEqual(expect.stringMatching(/a container that publishes a port does not/))
    }
    expect(cvm({}).cautions).toEqual([])
  })

  const fuse = (state: 'absent' | 'loadable' | 'unknown', device: Values['fuse']['device']): Partial<Values> => ({
    fuse: { registered: false, device },
    'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules({ fuse: state }) }
  })
  const DEVICE = { number: '10:229', mode: 0o600 }
  test.each<[string, Partial<Values>, Answer]>([
    ['a registered driver and its device', { fuse: { registered: true, device: DEVICE } }, 'yes'],
    ['a driver that opening the device loads', fuse('loadable', DEVICE), 'yes'],
    ['a driver that can be loaded, and no device', fuse('loadable', undefined), 'no'],
    ['a registered driver, and no device', { fuse: { registered: true, device: undefined } }, 'no'],
    ['another device in its place', { fuse: { registered: true, device: { number: '1:3', mode: 0o666 } } }, 'no'],
    ['a file in its place', { fuse: { registered: true, device: { number: 'file', mode: 0o644 } } }, 'no'],
    ['no driver', fuse('absent', DEVICE), 'no'],
    ['a driver that nobody knows about', fuse('unknown', DEVICE), 'unknown']
  ])('FUSE with %s: %s', (_, changes, answer) => {
    expect(cvm(changes).answer).toBe(answer)
  })

  test('needs a kernel with loadable modules, even if all are built in', () => {
    expect(cvm({ 'kernel-modules': { ...IDEAL['kernel-modules'], supported: false } }).answer).toBe('no')
  })

  test.each<[string, Values['apparmor'], Answer]>([
    ['is enforced', apparmor({ profiles: ENFORCED, file: file('enforce') }), 'no'],
    ['is enforced and has no file', apparmor({ profiles: ENFORCED, file: file('absent') }), 'no'],
    ['is enforced and lets Sysbox mount', apparmor({ profiles: ENFORCED, file: file('enforce', true) }), 'yes'],
    ['is enforced, and its file is closed', apparmor({ profiles: ENFORCED }), 'unknown'],
    ['complains', apparmor({ profiles: new Map([['fusermount3', 'complain']]) }), 'yes'],
    ['is not loaded', apparmor({ profiles: new Map([['other', 'enforce']]) }), 'yes'],
    ['cannot be seen, and AppArmor is off', apparmor({ enabled: false }), 'yes'],
    ['cannot be seen, and its file is not there', apparmor({ file: file('absent') }), 'yes'],
    ['cannot be seen, and its file only complains', apparmor({ file: file('complain') }), 'yes'],
    ['cannot be seen, and its file is switched off', apparmor({ file: file('disabled') }), 'yes'],
    ['cannot be seen, and its file is enforced', apparmor({ file: file('enforce') }), 'no'],
    ['cannot be seen, and its file lets Sysbox mount', apparmor({ file: file('enforce', true) }), 'yes'],
    ['cannot be seen at all', apparmor({}), 'unknown']
  ])('AppArmor is judged if the profile of fusermount3 %s', (_, found, answer) => {
    expect(answers(cvm({ apparmor: found }))['AppArmor']).toBe(answer)
  })

  test('AppArmor with an enforced profile that allows Sysbox’s mounts is a caution', () => {
    for (const found of [{ profiles: ENFORCED, file: file('enforce', true) }, { file: file('enforce', true) }])
      expect(cvm({ apparmor: apparmor(found) }).cautions.join()).toContain('AppArmor enforces a profile for fusermount3')
    expect(cvm({ apparmor: apparmor({ file: file('complain') }) }).cautions.join()).not.toContain('AppArmor')
  })

  test.each<[string, Partial<Values>, string]>([
    ['an old Ubuntu', { distro: distro('ubuntu', '20.04') }, 'past the end'],
    ['an older Ubuntu', { distro: distro('ubuntu', '18.04') }, 'past the end'],
    ['Amazon Linux 2', { distro: distro('amzn', '2') }, 'plain CVMs only'],
    ['Amazon Linux 2023 before 6.1', { distro: distro('amzn', '2023') }, 'only from kernel 6.1'],
    ['Debian before 5.5', { distro: distro('debian', '10'), kernel: kernel('5.4.0') }, 'only from kernel 5.5'],
    ['an unlisted distribution', { distro: distro('nixos') }, 'does not list'],
    ['SELinux that only warns', { selinux: 'permissive' }, 'permissive'],
    ['a kernel before 5.12', { kernel: kernel('5.10.0') }, 'nobody'],
    ['a full disk', { storage: storage({ free: 1e9 }) }, '50 GB']
  ])('on %s has a caution, which does not change the answer', (_, changes, caution) => {
    const verdict = cvm(changes)
    expect(verdict.cautions.join('\n')).toContain(caution)
    expect(verdict.answer).not.toBe('no')
  })

  test.each<FactName>([
    'kernel',
    'architecture',
    'distro',
    'kernel-modules',
    'user-namespaces',
    'seccomp',
    'selinux',
    'apparmor',
    'yama',
    'storage',
    'host-paths'
  ])('with unknown %s is unknown, with the reason', name => {
    const verdict = cvm({}, name)
    expect(verdict.answer).toBe('unknown')
    expect(verdict.reasons.join('\n')).toContain(`nobody could read ${name}`)
  })

  test('shows every obstacle, not only the first', () => {
    const verdict = cvm({ selinux: 'enforcing', yama: 3, seccomp: [], kernel: kernel('5.3.0') })
    expect(verdict.reasons.length).toBeGreaterThanOrEqual(4)
  })
})

const failed = { ok: false, why: 'closed' } as const
const file = (state: ProfileFile['state'], allowsSysbox = false): ProfileFile => ({ state, allowsSysbox })

function apparmor(found: {
  readonly enabled?: boolean
  readonly profiles?: Map<string, string>
  readonly file?: ProfileFile
}): Values['apparmor'] {
  const attempt = <T>(value: T | undefined) => (value === undefined ? failed : ({ ok: true, value } as const))
  return {
    enabled: attempt(found.enabled),
    profiles: attempt(found.profiles),
    fusermount3: attempt(found.file),
    podmanFile: failed
  }
}
