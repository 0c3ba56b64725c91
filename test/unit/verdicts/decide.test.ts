import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FactName } from '../../../src/facts/observe.ts'
import { ALL_CAPABILITIES, CAPABILITIES, type Capability } from '../../../src/verdicts/all.ts'
import { decide } from '../../../src/verdicts/decide.ts'
import type { Policy } from '../../../src/verdicts/policy.ts'
import type { Answer, Verdict } from '../../../src/verdicts/verdict.ts'
import { distro, FACTS, factsOf, IDEAL, kernel, modules, policy, proofs, storage, type Values } from '../node-facts.ts'

const RULES = Object.fromEntries(ALL_CAPABILITIES.map(({ name, judge }) => [name, judge])) as Readonly<
  Record<Capability, (typeof ALL_CAPABILITIES)[number]['judge']>
>

const judge = (
  capability: Capability,
  changes: Partial<Values> = {},
  terms: Partial<Policy> = {},
  ...unknowns: readonly FactName[]
) => RULES[capability](factsOf(changes, ...unknowns), policy(terms))

const ALWAYS_JUDGED = ALL_CAPABILITIES.filter(({ optIn }) => optIn === undefined).map(({ name }) => name)

test('the ideal node hosts everything, userns with a newer kernel', () => {
  for (const [release, lacks] of [
    [IDEAL.kernel.release, ['userns']],
    ['6.8.0-45-generic', []]
  ] as const) {
    const verdicts = decide(factsOf({ kernel: kernel(release) }), policy({ privilegedWorkspaces: 'allowed' }))
    expect(Object.keys(verdicts)).toEqual(CAPABILITIES)
    expect(Object.keys(verdicts).filter(name => verdicts[name as Capability]?.answer !== 'yes')).toEqual(lacks)
    expect(Object.keys(verdicts).filter(name => verdicts[name as Capability]?.wayOut.length !== 0)).toEqual(lacks)
  }
})

test('a node without known facts has no yes', () => {
  const verdicts = decide(factsOf({}, ...FACTS), policy({ workspaceNamespace: 'ws' }))
  expect(Object.values(verdicts).map(({ answer }) => answer)).toEqual(CAPABILITIES.map(() => 'unknown'))
})

test('privileged is judged only if the operator opted in', () => {
  expect(decide(factsOf(), policy())).not.toHaveProperty('privileged')
  expect(decide(factsOf(), policy({ privilegedWorkspaces: 'denied' })).privileged?.answer).toBe('no')
  expect(decide(factsOf(), policy({ workspaceNamespace: 'ws' })).privileged?.answer).toBe('yes')
})

describe('a node with unknown facts', () => {
  const changes = fc.record<Partial<Values>>(
    {
      kernel: fc.constantFrom(...['5.3.0', '5.4.0', '5.10.0', '5.14.0-1.el9_1', '6.8.0'].map(kernel)),
      distro: fc.constantFrom(...['ubuntu', 'cos', 'bottlerocket', 'amzn', 'rocky', 'constructed'].map(id => distro(id))),
      selinux: fc.constantFrom('absent', 'permissive', 'enforcing'),
      machine: fc.constantFrom<Values['machine']>({ kind: 'virtual', sign: 'KVM' }, IDEAL.machine),
      storage: fc.constantFrom(storage(), storage({ type: 'nfs' }), storage({ type: 'zfs' })),
      'apparmor-userns': fc.constantFrom('absent', 'off', 'on'),
      fuse: fc.constantFrom(IDEAL.fuse, { registered: false, device: undefined }),
      'kernel-modules': fc.constantFrom(IDEAL['kernel-modules'], {
        ...IDEAL['kernel-modules'],
        modules: modules({ fuse: 'absent', overlay: 'unknown' })
      }),
      shiftfs: fc.constantFrom(IDEAL.shiftfs, { ...IDEAL.shiftfs, state: 'absent' as const }),
      proofs: fc.constantFrom(IDEAL.proofs, proofs({ 'id-mapped-mount': 'fails' }), proofs({ 'id-mapped-mount': 'works' })),
      mig: fc.boolean()
    },
    { requiredKeys: [] }
  )
  const hidden = fc.subarray([...FACTS])

  test('knowing less never makes a no or an unknown a yes', () => {
    fc.assert(
      fc.property(changes, hidden, (found, names) => {
        // The Node object only adds conditions: without it they are not asked.
        const unknowns = names.filter(name => name !== 'node')
        const [before, after] = [decide(factsOf(found), policy()), decide(factsOf(found, ...unknowns), policy())]
        for (const name of ALWAYS_JUDGED) if (before[name]?.answer !== 'yes') expect(after[name]?.answer).not.toBe('yes')
      })
    )
  })

  test('a capability is never a yes while a part of it is not', () => {
    const holds = (verdict: Verdict): boolean =>
      verdict.parts.every(holds) &&
      (verdict.parts.length === 0 ||
        verdict.name.includes(' or ') ||
        (verdict.answer === 'yes') === verdict.parts.every(part => part.answer === 'yes'))
    fc.assert(
      fc.property(changes, hidden, (found, names) => {
        for (const verdict of Object.values(decide(factsOf(found, ...names), policy()))) expect(holds(verdict)).toBe(true)
      })
    )
  })

  test('every no and every unknown has a reason, and every no a way out', () => {
    fc.assert(
      fc.property(changes, hidden, (found, names) => {
        for (const verdict of Object.values(decide(factsOf(found, ...names), policy()))) {
          expect(verdict.because).not.toBe('')
          if (verdict.answer === 'no') expect(verdict.wayOut).not.toEqual([])
        }
      })
    )
  })
})

describe('a switch of the operator', () => {
  const EL9 = { kernel: kernel('5.4.0') }
  const OUTSIDE = { distro: distro('debian', '12'), shiftfs: { ...IDEAL.shiftfs, outOfTree: true } }

  test.each<[string, Capability, Partial<Values>, Partial<Policy>, Answer, Answer]>([
    ['minimum-kernel lets an old kernel in', 'cvm', EL9, { minimumKernel: [5, 4] }, 'unknown', 'yes'],
    ['minimum-kernel keeps a good one out', 'cvm', {}, { minimumKernel: [6, 1] }, 'yes', 'no'],
    [
      'gpu-in-virtual-machines',
      'gpu-cvm',
      { machine: { kind: 'virtual', sign: 'KVM' } },
      { gpuInVirtualMachines: 'allow' },
      'no',
      'yes'
    ],
    ['shiftfs-outside-ubuntu', 'cached-cvm', OUTSIDE, { shiftfsOutsideUbuntu: 'allow' }, 'no', 'yes'],
    ['apparmor-userns', 'podman', { 'apparmor-userns': 'on' }, { apparmorUserns: 'allow' }, 'no', 'yes'],
    ['selinux-podman', 'podman', { selinux: 'enforcing' }, { selinuxPodman: 'allow' }, 'no', 'yes'],
    [
      'fuse-resources',
      'podman',
      { node: { ...IDEAL.node, allocatable: { 'squat.ai/fuse': 1 } } },
      { fuseResources: ['squat.ai/fuse'] },
      'no',
      'yes'
    ],
    [
      'kvm-resources',
      'kvm',
      { node: { ...IDEAL.node, allocatable: { 'squat.ai/kvm': 1 } } },
      { kvmResources: ['squat.ai/kvm'] },
      'no',
      'yes'
    ],
    ['privileged-workspaces', 'cvm', {}, { privilegedWorkspaces: 'denied' }, 'yes', 'no'],
    [
      'workspace-namespace',
      'cvm',
      { 'pod-security': { asked: true, level: 'baseline' } },
      { workspaceNamespace: 'ws' },
      'yes',
      'no'
    ]
  ])('%s', (_, capability, changes, terms, before, after) => {
    expect(judge(capability, changes).answer).toBe(before)
    expect(judge(capability, changes, terms).answer).toBe(after)
  })

  test.each<[string, Capability, Partial<Values>, Partial<Policy>]>([
    ['gpu-in-virtual-machines', 'gpu-cvm', { machine: { kind: 'virtual', sign: 'KVM' } }, { gpuInVirtualMachines: 'allow' }],
    ['shiftfs-outside-ubuntu', 'cached-cvm', OUTSIDE, { shiftfsOutsideUbuntu: 'allow' }],
    ['apparmor-userns', 'podman', { 'apparmor-userns': 'on' }, { apparmorUserns: 'allow' }],
    ['selinux-podman', 'podman', { selinux: 'enforcing' }, { selinuxPodman: 'allow' }]
  ])('that lifts an obstacle (%s) leaves a caution in its place', (_, capability, changes, terms) => {
    const cautions = (verdict: Verdict) => verdict.cautions.length
    expect(cautions(judge(capability, changes, terms))).toBeGreaterThan(cautions(judge(capability, {}, terms)))
  })

  test('lifts only its own obstacle', () => {
    const all: Partial<Policy> = {
      gpuInVirtualMachines: 'allow',
      shiftfsOutsideUbuntu: 'allow',
      apparmorUserns: 'allow',
      selinuxPodman: 'allow'
    }
    expect(judge('cvm', { selinux: 'enforcing' }, all).answer).toBe('no')
    expect(judge('podman', { 'user-namespaces': { compiled: true, max: 0, unprivileged: true } }, all).answer).toBe('no')
    expect(judge('gpu-cvm', { mig: true }, all).answer).toBe('no')
    expect(judge('cached-cvm', { shiftfs: { ...IDEAL.shiftfs, state: 'broken' } }, all).answer).toBe('no')
  })
})

describe('a cached CVM', () => {
  const shiftfs = (changes: Partial<Values['shiftfs']>): Partial<Values> => ({ shiftfs: { ...IDEAL.shiftfs, ...changes } })

  test.each<[string, Partial<Values>, Answer]>([
    ['with shiftfs to be loaded', shiftfs({ state: 'loadable' }), 'yes'],
    ['with shiftfs to be built', shiftfs({ state: 'buildable' }), 'no'],
    ['without shiftfs', shiftfs({ state: 'absent' }), 'no'],
    ['with a broken shiftfs', shiftfs({ state: 'broken' }), 'no'],
    ['with a suspect shiftfs', shiftfs({ suspect: true }), 'unknown'],
    ['with a self-built shiftfs on Ubuntu', shiftfs({ outOfTree: true }), 'yes'],
    ['with a self-built shiftfs on Debian', { distro: distro('debian', '12'), ...shiftfs({ outOfTree: true }) }, 'no'],
    [
      'with a shiftfs of unknown origin on Debian',
      { distro: distro('debian', '12'), ...shiftfs({ outOfTree: undefined }) },
      'unknown'
    ],
    ['with the kernel’s own shiftfs on Debian', { distro: distro('debian', '12'), ...shiftfs({ outOfTree: false }) }, 'yes'],
    [
      'on one that is like Ubuntu',
      { distro: { ...distro('linuxmint'), like: ['ubuntu'] }, ...shiftfs({ outOfTree: true }) },
      'no'
    ],
    ['on Amazon Linux', { distro: distro('amzn', '2023') }, 'no'],
    ['on CRI-O', { node: { ...IDEAL.node, containerRuntime: 'cri-o://1.30.0' } }, 'no'],
    ['on Docker', { node: { ...IDEAL.node, containerRuntime: 'docker://24.0.7' } }, 'yes'],
    ['on a runtime without a name', { node: { ...IDEAL.node, containerRuntime: '' } }, 'unknown'],
    ['with a read-only /var/lib', { 'var-lib': storage({ readOnly: true }) }, 'no'],
    ['with /var/lib in an image', { 'var-lib': storage({ type: 'squashfs' }) }, 'no'],
    ['where no CVM runs', { yama: 3 }, 'no']
  ])('%s is %s', (_, changes, answer) => {
    expect(judge('cached-cvm', changes).answer).toBe(answer)
  })

  test('is not judged by its runtime without a Node object', () => {
    expect(judge('cached-cvm', {}, {}, 'node').answer).toBe('yes')
  })
})

describe('a GPU', () => {
  const gpus = (vendor: 'nvidia' | 'amd' | 'intel', driver: string): Partial<Values> => ({
    gpus: [{ address: '0000:00:1e.0', vendor, driver }]
  })
  const unoffered = (slices: Values['resource-slices']): Partial<Values> => ({
    ...{ node: { ...IDEAL.node, allocatable: { 'github.com/fuse': 1 } }, 'resource-slices': slices }
  })

  test.each<[string, Partial<Values>, Answer]>([
    ['that is not there', { gpus: [] }, 'no'],
    ['of AMD', gpus('amd', 'amdgpu'), 'no'],
    ['of Intel', gpus('intel', 'xe'), 'no'],
    ['bound to nouveau', gpus('nvidia', 'nouveau'), 'no'],
    ['bound to vfio-pci', gpus('nvidia', 'vfio-pci'), 'no'],
    ['bound to nothing', gpus('nvidia', ''), 'no'],
    ['without a loaded driver', { 'nvidia-driver': 'none' }, 'no'],
    ['with a newer library than the loaded driver', { 'nvidia-library': ['570.86'] }, 'no'],
    [
      'with an old library on the node, and the right one in the driver container',
      { 'nvidia-library': ['470.1', '550.135'] },
      'yes'
    ],
    ['with a library in no usual place', { 'nvidia-library': [] }, 'yes'],
    ['offered in shares', { node: { ...IDEAL.node, allocatable: { 'nvidia.com/gpu.shared': 4 } } }, 'yes'],
    ['without /dev/nvidiactl', { 'nvidia-devices': { control: false, gpus: 1, nouveau: false } }, 'no'],
    ['that the Node does not offer, and nobody asked for DRA', unoffered({ asked: false }), 'unknown'],
    ['that neither the Node nor DRA offers', unoffered({ asked: true, devices: 0, tainted: 0 }), 'no'],
    ['that DRA offers', unoffered({ asked: true, devices: 2, tainted: 1 }), 'yes'],
    ['that DRA offers with a taint', unoffered({ asked: true, devices: 2, tainted: 2 }), 'no'],
    ['without a driver to offer it', { ...unoffered({ asked: false }), 'nvidia-driver': 'none' }, 'no'],
    ['that the Node offers, and DRA does not', { 'resource-slices': { asked: true, devices: 0, tainted: 0 } }, 'yes'],
    ['that the Node offers in parts', { node: { ...IDEAL.node, allocatable: { 'nvidia.com/mig-1g.5gb': 7 } } }, 'yes'],
    [
      'beside one that is given away',
      { gpus: [...IDEAL.gpus, { address: '0000:00:1f.0', vendor: 'nvidia', driver: 'vfio-pci' }] },
      'yes'
    ],
    ['in a virtual machine', { machine: { kind: 'virtual', sign: 'KVM' } }, 'yes']
  ])('%s is %s', (_, changes, answer) => {
    expect(judge('gpu', changes).answer).toBe(answer)
  })

  test('that DRA offers is offered with a caution, in a CVM too', () => {
    const changes = unoffered({ asked: true, devices: 2, tainted: 0 })
    const caution = 'offered by DRA: pods need a ResourceClaim or the extended resource of a DeviceClass'
    expect(judge('gpu', changes)).toMatchObject({ answer: 'yes', cautions: [caution] })
    expect(judge('gpu-cvm', changes)).toMatchObject({ answer: 'yes', cautions: expect.arrayContaining([caution]) })
    expect(judge('gpu-cvm', { ...changes, mig: true }).answer).toBe('no')
    expect(judge('gpu', { 'resource-slices': { asked: true, devices: 2, tainted: 0 } }).cautions).toEqual([])
  })

  test('is unknown if ResourceSlices could not be read, with the missing permission as the way out', () => {
    const verdict = judge('gpu', unoffered({ asked: false }), {}, 'resource-slices')
    expect(verdict).toMatchObject({ answer: 'unknown', because: expect.stringContaining('nobody could read resource-slices') })
    expect(verdict.wayOut).toEqual([expect.stringContaining('"list" on resourceslices')])
    expect(judge('gpu', {}, {}, 'resource-slices').answer).toBe('yes')
  })

  test('has the command for ResourceSlices as its way out if they were not read, but not without a driver', () => {
    expect(judge('gpu', unoffered({ asked: false })).wayOut).toEqual([expect.stringContaining('spec.nodeName=node')])
    const without = judge('gpu', { ...unoffered({ asked: false }), 'nvidia-driver': 'none' })
    expect(without.wayOut.join()).not.toContain('kubectl')
    expect(without.wayOut.join()).toContain('device plugin')
  })

  test('that is missing is the only obstacle shown', () => {
    expect(judge('gpu', { gpus: [] })).toMatchObject({ reasons: ['the node has no GPU'] })
    expect(judge('gpu', gpus('amd', 'amdgpu')).reasons).toEqual([expect.stringContaining('amd')])
  })

  test.each<FactName>(['gpus', 'nvidia-driver', 'nvidia-devices', 'nvidia-library'])('with unknown %s is unknown', name => {
    expect(judge('gpu', {}, {}, name).answer).toBe('unknown')
  })

  test.each<[string, Partial<Values>, readonly FactName[], Answer]>([
    ['bare metal', {}, [], 'yes'],
    ['a virtual machine', { machine: { kind: 'virtual', sign: 'KVM' } }, [], 'no'],
    ['nobody knows which', {}, ['machine'], 'unknown'],
    ['GPUs in parts', { mig: true }, [], 'no'],
    ['parts nobody knows of', {}, ['mig'], 'unknown'],
    ['no GPU', { gpus: [] }, [], 'no'],
    ['no CVM', { yama: 3 }, [], 'no']
  ])('inside a CVM is judged with %s', (_, changes, unknowns, answer) => {
    expect(judge('gpu-cvm', changes, {}, ...unknowns).answer).toBe(answer)
  })
})

describe('Podman', () => {
  const namespaces = (changes: Partial<Values['user-namespaces']>): Partial<Values> => ({
    'user-namespaces': { ...IDEAL['user-namespaces'], ...changes }
  })
  const device = (number: string, mode: number): Partial<Values> => ({ fuse: { registered: true, device: { number, mode } } })
  const crio = (allowed: readonly string[]): Partial<Values> => ({
    'crio-devices': allowed,
    node: { ...IDEAL.node, allocatable: {}, containerRuntime: 'cri-o://1.33.4' }
  })
  const openshift = (kubelet: string): Partial<Values> => ({
    selinux: 'enforcing',
    distro: distro('rhel', '9.6'),
    node: { ...IDEAL.node, kubelet, labels: { 'node.openshift.io/os_id': 'rhel' } }
  })
  const CLOSED = { ok: false, why: 'EACCES' } as const
  const profiles = (...names: readonly string[]): Values['apparmor'] => ({
    ...IDEAL.apparmor,
    profiles: { ok: true, value: new Map(names.map(name => [name, 'unconfined'])) }
  })

  test.each<[string, Partial<Values>, Answer]>([
    ['with no user namespaces', namespaces({ compiled: false }), 'no'],
    ['with none allowed, as fresh Bottlerocket', namespaces({ max: 0 }), 'no'],
    ['with few', namespaces({ max: 100 }), 'yes'],
    ['with Debian’s switch off', namespaces({ unprivileged: false }), 'no'],
    ['with too few mount namespaces', { 'namespace-limits': { mnt: 3, pid: 10 } }, 'no'],
    ['with no process namespaces', { 'namespace-limits': { mnt: 10, pid: 0 } }, 'no'],
    ['with just enough', { 'namespace-limits': { mnt: 4, pid: 1 } }, 'yes'],
    ['without AppArmor’s restriction', { 'apparmor-userns': 'off' }, 'yes'],
    ['with AppArmor’s restriction', { 'apparmor-userns': 'on' }, 'no'],
    ['with a profile that may lift it', { 'apparmor-userns': 'on', apparmor: profiles('podman') }, 'unknown'],
    ['with a profile of another name', { 'apparmor-userns': 'on', apparmor: profiles('podman2') }, 'no'],
    [
      'with profiles that are closed',
      { 'apparmor-userns': 'on', apparmor: { ...IDEAL.apparmor, profiles: CLOSED, podmanFile: { ok: true, value: true } } },
      'unknown'
    ],
    [
      'with profiles that are closed, and no file for one named podman',
      { 'apparmor-userns': 'on', apparmor: { ...IDEAL.apparmor, profiles: CLOSED } },
      'no'
    ],
    [
      'with nothing of AppArmor to be seen',
      { 'apparmor-userns': 'on', apparmor: { ...IDEAL.apparmor, profiles: CLOSED, podmanFile: CLOSED } },
      'unknown'
    ],
    ['on CRI-O, which gives FUSE by annotation', crio(['/dev/fuse']), 'yes'],
    ['on CRI-O that gives no FUSE', crio(['/dev/net/tun']), 'no'],
    ['on another runtime that offers none', { ...crio(['/dev/fuse']), node: { ...IDEAL.node, allocatable: {} } }, 'no'],
    ['on OpenShift 4.20 with SELinux', openshift('v1.33.5'), 'yes'],
    ['on OpenShift 4.19 with SELinux', openshift('v1.32.8'), 'no'],
    ['on Kubernetes 1.33 that is no OpenShift, with SELinux', { ...openshift('v1.33.5'), node: IDEAL.node }, 'no'],
    ['with a device for root only', device('10:229', 0o600), 'no'],
    ['with a device for a group', device('10:229', 0o660), 'no'],
    ['with a device that is read only', device('10:229', 0o664), 'no'],
    ['with another device', device('1:3', 0o666), 'no'],
    [
      'with FUSE to be loaded',
      {
        fuse: { registered: false, device: { number: '10:229', mode: 0o666 } },
        'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules({ fuse: 'loadable' }) }
      },
      'yes'
    ],
    [
      'with FUSE that nothing loads, since there is no device',
      {
        fuse: { registered: false, device: undefined },
        'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules({ fuse: 'loadable' }) }
      },
      'no'
    ],
    [
      'without FUSE',
      {
        fuse: { registered: false, device: undefined },
        'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules({ fuse: 'absent' }) }
      },
      'no'
    ],
    ['without FUSE for pods', { node: { ...IDEAL.node, allocatable: {} } }, 'no'],
    ['with FUSE by another plugin', { node: { ...IDEAL.node, allocatable: { 'smarter-devices/fuse': 1 } } }, 'yes'],
    ['with SELinux', { selinux: 'enforcing' }, 'no'],
    ['with SELinux on Bottlerocket', { selinux: 'enforcing', distro: distro('bottlerocket') }, 'yes'],
    ['with SELinux that only warns', { selinux: 'permissive' }, 'yes'],
    ['on an old kernel', { kernel: kernel('5.4.0') }, 'yes'],
    ['on COS', { distro: distro('cos') }, 'yes']
  ])('%s is %s', (_, changes, answer) => {
    expect(judge('podman', changes).answer).toBe(answer)
  })

  test.each<[string, Partial<Values>, string]>([
    ['few namespaces', namespaces({ max: 255 }), 'only 255'],
    ['an old kernel', { kernel: kernel('5.10.0') }, 'fuse-overlayfs'],
    ['a kubelet with seccompDefault', { 'seccomp-default': 'on' }, 'Unconfined']
  ])('with %s is a yes with a caution', (_, changes, caution) => {
    expect(judge('podman', changes)).toMatchObject({ answer: 'yes', cautions: [expect.stringContaining(caution)] })
  })

  test('with 256 namespaces and 5.11 needs no caution', () => {
    expect(judge('podman', { ...namespaces({ max: 256 }), kernel: kernel('5.11.0') }).cautions).toEqual([])
  })

  test('is not judged by the devices of pods without a Node object', () => {
    expect(judge('podman', {}, {}, 'node').answer).toBe('yes')
  })

  test.each<FactName>(['user-namespaces', 'namespace-limits', 'apparmor-userns', 'fuse', 'selinux', 'kernel'])(
    'with unknown %s is unknown',
    name => {
      expect(judge('podman', {}, {}, name).answer).toBe('unknown')
    }
  )
})

const CONTAINERD_2 = { containerRuntime: 'containerd://2.2.1' } as const

describe('Sysbox on the node', () => {
  const node = (changes: Partial<Values['node']>): Partial<Values> => ({ node: { ...IDEAL.node, ...changes } })
  const netfilter = (states: Parameters<typeof modules>[0]): Partial<Values> => ({
    'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules(states) }
  })
  const sysbox = (changes: Partial<Values['sysbox']>): Partial<Values> => ({ sysbox: { ...IDEAL.sysbox, ...changes } })

  test.each<[string, Partial<Values>, Answer]>([
    ['not installed', sysbox({ programs: [] }), 'no'],
    ['without sysbox-runc', sysbox({ programs: ['/usr/bin/sysbox-mgr'] }), 'no'],
    ['with a dead manager', sysbox({ manager: { ok: true, value: 'dead' } }), 'no'],
    ['with a daemon that is hidden', sysbox({ fs: { ok: false, why: 'hidepid' } }), 'unknown'],
    [
      'with one that is dead and one that is hidden',
      sysbox({ manager: { ok: true, value: 'dead' }, fs: { ok: false, why: 'x' } }),
      'no'
    ],
    ['0.7.0 under containerd 2', { ...sysbox({ version: { ok: true, value: '0.7.0' } }), ...node(CONTAINERD_2) }, 'no'],
    ['0.6.7 under containerd 2', { ...sysbox({ version: { ok: true, value: '0.6.7' } }), ...node(CONTAINERD_2) }, 'no'],
    ['0.7.1 under containerd 2', { ...sysbox({ version: { ok: true, value: '0.7.1' } }), ...node(CONTAINERD_2) }, 'yes'],
    ['0.10.0 under containerd 2', { ...sysbox({ version: { ok: true, value: '0.10.0' } }), ...node(CONTAINERD_2) }, 'yes'],
    [
      'of a hidden version under containerd 2',
      { ...sysbox({ version: { ok: false, why: 'x' } }), ...node(CONTAINERD_2) },
      'unknown'
    ],
    ['of no version under containerd 2', { ...sysbox({ version: { ok: true, value: '' } }), ...node(CONTAINERD_2) }, 'unknown'],
    ['0.6.4 under containerd 1.7', sysbox({ version: { ok: true, value: '0.6.4' } }), 'yes'],
    ['with a mount over /proc/cmdline', { procfs: ['/proc/cmdline'] }, 'no'],
    ['with such a mount, and a trial that worked', { procfs: ['/proc/cmdline'], proofs: proofs({ procfs: 'works' }) }, 'yes'],
    ['without one, and a trial that failed', { proofs: proofs({ procfs: 'fails' }) }, 'no'],
    ['not among the runtime handlers', node({ runtimeHandlers: ['runc'] }), 'no'],
    ['under an old kubelet', node({ runtimeHandlers: undefined }), 'unknown'],
    [
      'under CRI-O by label',
      node({ runtimeHandlers: undefined, containerRuntime: 'cri-o://1.29.1', labels: { 'sysbox-runtime': 'running' } }),
      'yes'
    ],
    [
      'under CRI-O that reports other handlers, by label',
      node({ runtimeHandlers: ['runc'], containerRuntime: 'cri-o://1.36.3', labels: { 'sysbox-runtime': 'running' } }),
      'no'
    ],
    ['under containerd by label only', node({ runtimeHandlers: undefined, labels: { 'sysbox-runtime': 'running' } }), 'unknown'],
    ['with the taint', node({ taints: [{ key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' }] }), 'no'],
    ['with another taint', node({ taints: [{ key: 'sysbox-runtime', value: 'running', effect: 'NoSchedule' }] }), 'yes'],
    ['without conntrack now', { conntrack: false }, 'no'],
    ['without FUSE now', { fuse: { registered: false, device: { number: '10:229', mode: 0o666 } } }, 'no'],
    ['without the device of FUSE', { fuse: { registered: true, device: undefined } }, 'no'],
    ['on kernel 5.3', { kernel: kernel('5.3.0') }, 'no'],
    ['on kernel 5.6', { kernel: kernel('5.6.0') }, 'unknown'],
    ['on kernel 5.7', { kernel: kernel('5.7.0') }, 'yes'],
    ['with iptables-nft alone', netfilter({ ip_tables: 'absent', iptable_nat: 'absent' }), 'yes'],
    ['with iptables-legacy alone', netfilter({ nf_tables: 'absent', nft_compat: 'absent' }), 'yes'],
    ['with iptables-legacy alone, not loaded', netfilter({ nf_tables: 'absent', ip_tables: 'loadable' }), 'no'],
    ['with iptables-legacy alone, without its table raw', netfilter({ nft_compat: 'absent', iptable_raw: 'absent' }), 'no'],
    ['without a match that both need', netfilter({ xt_addrtype: 'absent' }), 'no'],
    ['without user_notif', { seccomp: [] }, 'no'],
    ['with SELinux', { selinux: 'enforcing' }, 'no'],
    ['with Yama at 3', { yama: 3 }, 'no'],
    ['on NFS', { 'sysbox-storage': storage({ type: 'nfs4' }) }, 'no']
  ])('%s is %s', (_, changes, answer) => {
    expect(judge('sysbox', changes).answer).toBe(answer)
  })

  test('is unknown without the Node, and a no without a program', () => {
    expect(judge('sysbox', {}, {}, 'node').answer).toBe('unknown')
    expect(judge('sysbox', sysbox({ programs: [] }), {}, 'node').answer).toBe('no')
  })
})

describe('privileged pods', () => {
  test.each<[string, Answer]>([
    ['', 'yes'],
    ['privileged', 'yes'],
    ['baseline', 'no'],
    ['restricted', 'no'],
    ['PRIVILEGED', 'no']
  ])('in a namespace that enforces %j are %s', (level, answer) => {
    expect(judge('privileged', { 'pod-security': { asked: true, level } }, { workspaceNamespace: 'ws' }).answer).toBe(answer)
  })

  test('follow the operator’s option, whatever the namespace enforces', () => {
    const level: Partial<Values> = { 'pod-security': { asked: true, level: 'restricted' } }
    expect(judge('privileged', level, { privilegedWorkspaces: 'allowed', workspaceNamespace: 'ws' }).answer).toBe('yes')
    expect(judge('privileged', {}, { privilegedWorkspaces: 'denied', workspaceNamespace: 'ws' }).answer).toBe('no')
  })

  test('are unknown if the namespace could not be read', () => {
    expect(judge('privileged', {}, { workspaceNamespace: 'ws' }, 'pod-security').answer).toBe('unknown')
  })
})
