import { describe, expect, test } from 'vitest'
import type { FactName } from '../../../src/facts/observe.ts'
import type { Capability } from '../../../src/verdicts/all.ts'
import { decide } from '../../../src/verdicts/decide.ts'
import type { Policy } from '../../../src/verdicts/policy.ts'
import type { Answer, Verdict } from '../../../src/verdicts/verdict.ts'
import { allParts, distro, factsOf, IDEAL, kernel, modules, policy, storage, type Values } from '../node-facts.ts'

const withModules = (...[changes]: Parameters<typeof modules>): Partial<Values> => ({
  'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules(changes) }
})
const closed = { ok: false, why: 'the list of profiles is closed' } as const
const virtual: Partial<Values> = { machine: { kind: 'virtual', sign: 'DMI says KVM' } }

describe('the distribution has the caution of Sysbox’s documentation', () => {
  const of = (id: string, version: string, release: string | undefined) =>
    allParts(
      decide(
        factsOf(
          { distro: distro(id, version), kernel: kernel(release ?? '5.15.0') },
          ...(release === undefined ? (['kernel'] as const) : [])
        ),
        policy()
      ).cvm
    ).find(({ name }) => name === 'distribution')

  test.each<[string, string, string | undefined, readonly string[]]>([
    ['ubuntu', '22.04', '5.15.0', []],
    ['ubuntu', '24.04', '5.4.0', []],
    ['ubuntu', '18.04', '5.4.0', ['ubuntu 18.04 is past the end of its standard support']],
    ['ubuntu', '20.04', '5.15.0', ['ubuntu 20.04 is past the end of its standard support']],
    ['debian', '20.04', '5.15.0', []],
    ['debian', '11', '5.5.0', []],
    ['debian', '10', '5.4.0', ["Sysbox's documentation lists debian 10 only from kernel 5.5 on"]],
    ['debian', '12', undefined, ["Sysbox's documentation lists debian 12 only from kernel 5.5 on"]],
    ['flatcar', '4459', '5.10.0', []],
    ['flatcar', '2905', '5.9.0', ["Sysbox's documentation lists flatcar 2905 only from kernel 5.10 on"]],
    ...['fedora', 'centos', 'rocky', 'almalinux', 'rhel'].flatMap((id): [string, string, string, readonly string[]][] => [
      [id, '9', '5.12.0', []],
      [id, '9', '5.11.0', [`Sysbox's documentation lists ${id} 9 only from kernel 5.12 on`]]
    ]),
    ['amzn', '2', '5.10.0', ['Amazon Linux 2 is documented for plain CVMs only']],
    ['amzn', '2023', '6.1.0', []],
    ['amzn', '2023', '5.15.0', ["Sysbox's documentation lists amzn 2023 only from kernel 6.1 on"]],
    ['photon', '2', '5.10.0', ["Sysbox's documentation lists other distributions only from kernel 5.12 on"]],
    [
      'nixos',
      '20.04',
      '5.12.0',
      ["Sysbox's documentation does not list nixos 20.04; unlisted distributions should work from kernel 5.12 on"]
    ],
    [
      'constructor',
      '1',
      '6.1.0',
      ["Sysbox's documentation does not list constructor 1; unlisted distributions should work from kernel 5.12 on"]
    ]
  ])('%s %s on %s: %j', (id, version, release, cautions) => {
    expect(of(id, version, release)).toMatchObject({ answer: 'yes', cautions })
  })
})

describe('a kernel of EL 9, whose ID-mapped mounts may be disabled, is recognized', () => {
  test.each<[string, Partial<Values>, readonly FactName[], Answer]>([
    ['by its release alone', { kernel: kernel('5.14.0-427.el9_4.x86_64'), distro: distro('mine') }, [], 'unknown'],
    ['by the id of its distribution', { kernel: kernel('5.14.0-427'), distro: distro('almalinux', '9.4') }, [], 'unknown'],
    [
      'by what its distribution is like',
      { kernel: kernel('5.14.0-427'), distro: { ...distro('mine'), like: ['rhel'] } },
      [],
      'unknown'
    ],
    ['where the distribution is not known, to be sure', { kernel: kernel('5.14.0-427') }, ['distro'], 'unknown'],
    ['not by 5.14 alone', { kernel: kernel('5.14.0-427'), distro: distro('debian', '11') }, [], 'yes'],
    ['not by a version that only ends like it', { kernel: kernel('15.14.0-1.el9') }, [], 'yes'],
    ['not by a newer kernel of EL', { kernel: kernel('6.12.0-55.el10'), distro: distro('rocky', '10') }, [], 'yes']
  ])('%s', (_, changes, unknowns, answer) => {
    const parts = allParts(decide(factsOf(changes, ...unknowns), policy()).cvm)
    expect(parts.find(({ name }) => name === 'ID-mapped mounts')?.answer).toBe(answer)
  })
})

describe('the operator’s options for privileged pods', () => {
  const OF = (level: string): Partial<Values> => ({ 'pod-security': { asked: true, level } })

  test.each<[Partial<Policy>, Partial<Values>, Answer, string]>([
    [{ privilegedWorkspaces: 'allowed' }, {}, 'yes', 'privileged pods are allowed by --privileged-workspaces'],
    [{ privilegedWorkspaces: 'denied' }, {}, 'no', 'privileged pods are denied by --privileged-workspaces'],
    [{ workspaceNamespace: 'ws' }, OF(''), 'yes', 'namespace ws enforces no Pod Security level'],
    [{ workspaceNamespace: 'ws' }, OF('privileged'), 'yes', 'namespace ws enforces the Pod Security level privileged'],
    [{ workspaceNamespace: 'ws' }, OF('baseline'), 'no', 'namespace ws enforces the Pod Security level baseline'],
    [
      { workspaceNamespace: 'ws' },
      { 'pod-security': { asked: false } },
      'unknown',
      'the Pod Security level of namespace ws was not read'
    ]
  ])('%j, with %j, is %s: %s', (terms, changes, answer, because) => {
    const { privileged, cvm } = decide(factsOf(changes), policy(terms))
    expect(privileged).toMatchObject({ name: 'privileged', answer, because })
    expect(cvm.parts.find(({ name }) => name === 'privileged pods')).toMatchObject({ answer, because })
  })

  test('names the namespace in the command that lifts its level', () => {
    const { privileged } = decide(factsOf(OF('restricted')), policy({ workspaceNamespace: 'ws' }))
    expect(privileged?.wayOut).toEqual([
      'Label the namespace: kubectl label namespace ws pod-security.kubernetes.io/enforce=privileged --overwrite'
    ])
  })
})

describe('with an unknown distribution', () => {
  const partOf = (capability: 'podman' | 'cached-cvm', name: string, changes: Partial<Values>) =>
    allParts(decide(factsOf(changes, 'distro'), policy())[capability]).find(part => part.name === name)

  test('it is unknown whether SELinux blocks Podman', () => {
    expect(partOf('podman', 'SELinux', { selinux: 'enforcing' })).toMatchObject({
      answer: 'unknown',
      because: 'SELinux is enforcing, and the distribution is unknown: nobody could read distro'
    })
    expect(partOf('podman', 'SELinux', { selinux: 'permissive' })?.answer).toBe('yes')
  })

  test.each([true, false, undefined])('it is unknown whether shiftfs is safe, from outside the kernel or not (%s)', outOfTree => {
    expect(partOf('cached-cvm', 'shiftfs', { shiftfs: { ...IDEAL.shiftfs, outOfTree } })).toMatchObject({
      answer: 'unknown',
      because: 'it is unknown whether shiftfs is safe here: nobody could read distro'
    })
  })
})

describe('a permission of the operator becomes a caution that names the obstacle', () => {
  const debian = (outOfTree: boolean | undefined): Partial<Values> => ({
    distro: distro('debian', '12'),
    shiftfs: { ...IDEAL.shiftfs, outOfTree }
  })
  const restricted: Partial<Values> = { 'apparmor-userns': 'on' }

  test.each<[Capability, string, Partial<Values>, Partial<Policy>, string | undefined]>([
    ['gpu-cvm', 'bare metal', virtual, { gpuInVirtualMachines: 'allow' }, 'not bare metal, allowed by --gpu-in-virtual-machines'],
    ['gpu-cvm', 'bare metal', {}, { gpuInVirtualMachines: 'allow' }, undefined],
    [
      'podman',
      'AppArmor and user namespaces',
      restricted,
      { apparmorUserns: 'allow' },
      'allowed by --apparmor-userns (kernel.app'
    ],
    ['podman', 'AppArmor and user namespaces', {}, { apparmorUserns: 'allow' }, undefined],
    [
      'podman',
      'SELinux',
      { selinux: 'enforcing' },
      { selinuxPodman: 'allow' },
      'SELinux is enforcing, allowed by --selinux-podman'
    ],
    ['podman', 'SELinux', { selinux: 'enforcing', distro: distro('bottlerocket') }, { selinuxPodman: 'allow' }, undefined],
    ['cached-cvm', 'shiftfs', debian(true), { shiftfsOutsideUbuntu: 'allow' }, 'can crash the node through a self-built shiftfs'],
    ['cached-cvm', 'shiftfs', debian(undefined), { shiftfsOutsideUbuntu: 'allow' }, 'can crash the node'],
    ['cached-cvm', 'shiftfs', debian(false), { shiftfsOutsideUbuntu: 'allow' }, undefined]
  ])('%s, %s (%#)', (capability, name, changes, terms, caution) => {
    const part = allParts(decide(factsOf(changes), policy(terms))[capability] as Verdict).find(each => each.name === name)
    expect(part).toMatchObject({
      answer: 'yes',
      cautions: caution === undefined ? [] : [expect.stringContaining(caution)],
      wayOut: []
    })
  })

  test('below 5.12 an unreadable overlay is named once too', () => {
    const { cvm } = decide(factsOf({ kernel: kernel('5.10.0') }, 'kernel-modules'), policy())
    expect(cvm.cautions.filter(caution => caution.startsWith('overlay: '))).toEqual([
      'overlay: nobody could read kernel-modules; Docker inside the workspace falls back to vfs'
    ])
  })

  test('below 5.12 a missing overlay is a caution and no obstacle', () => {
    const { cvm } = decide(factsOf({ kernel: kernel('5.10.0'), ...withModules({ overlay: 'absent' }) }), policy())
    expect(cvm.answer).toBe('yes')
    expect(cvm.cautions).toContain('overlay: as the test says; Docker inside the workspace falls back to vfs')
  })
})

test('unreadable profiles leave both questions about AppArmor open, and say why', () => {
  const { cvm, podman } = decide(
    factsOf({
      apparmor: { enabled: closed, profiles: closed, fusermount3: closed, podmanFile: closed },
      'apparmor-userns': 'on'
    }),
    policy()
  )
  expect(cvm.because).toMatch(/^the list of profiles is closed; .*; the node may have loaded a profile for fusermount3$/)
  expect(podman.because).toContain('is 1, and the loaded profiles are unknown: the list of profiles is closed')
  const { because } = decide(factsOf({ 'apparmor-userns': 'on' }, 'apparmor'), policy()).podman
  expect(because).toContain('is 1, and the loaded profiles are unknown: nobody could read apparmor')
})

test.each(['squashfs', 'erofs', 'iso9660', 'cramfs', 'romfs'])(
  '/var/lib on the image file system %s cannot hold the cache',
  type => {
    expect(decide(factsOf({ 'var-lib': storage({ type }) }), policy())['cached-cvm'].answer).toBe('no')
  }
)

test.each(['rhel', 'rhcos', 'rocky', 'almalinux', 'centos', 'ol'])('%s with 5.14 may have ID-mapped mounts disabled', id => {
  const { cvm } = decide(factsOf({ kernel: kernel('5.14.0-427'), distro: distro(id, '9.4') }), policy())
  expect(cvm).toMatchObject({ answer: 'unknown', because: expect.stringContaining('may have ID-mapped mounts disabled') })
})

test('FUSE by CRI-O and nested Podman on OpenShift have a caution with what the pod needs', () => {
  const node = {
    ...IDEAL.node,
    allocatable: {},
    containerRuntime: 'cri-o://1.33.4',
    kubelet: 'v1.33.5',
    labels: { 'node.openshift.io/os_id': 'rhel' }
  }
  const { podman } = decide(factsOf({ node, 'crio-devices': ['/dev/fuse'], selinux: 'enforcing' }), policy({ fuseResources: [] }))
  expect(podman.answer).toBe('yes')
  expect(podman.cautions.join('\n')).toMatch(/io.kubernetes.cri-o.Devices: \/dev\/fuse[\s\S]*nested-podman/)
})

test('FUSE that is not offered is a no that names the expected resources, or that there are none', () => {
  const node = { ...IDEAL.node, allocatable: {} }
  const because = (fuseResources: readonly string[]) => decide(factsOf({ node }), policy({ fuseResources })).podman.because
  expect(because(['a.b/fuse'])).toBe('the Node offers none of a.b/fuse')
  expect(because([])).toBe('--fuse-resources is empty')
  const crio = factsOf({ node: { ...node, containerRuntime: 'cri-o://1.33.4' } }, 'crio-devices')
  expect(decide(crio, policy()).podman).toMatchObject({ answer: 'unknown', because: 'nobody could read crio-devices' })
})
