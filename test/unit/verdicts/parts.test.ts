import { describe, expect, test } from 'vitest'
import type { FactName } from '../../../src/facts/observe.ts'
import type { Capability } from '../../../src/verdicts/all.ts'
import { decide } from '../../../src/verdicts/decide.ts'
import type { Policy } from '../../../src/verdicts/policy.ts'
import type { Answer, Verdict } from '../../../src/verdicts/verdict.ts'
import { allParts, distro, FACTS, factsOf, IDEAL, kernel, modules, policy, proofs, storage, type Values } from '../node-facts.ts'

const OPTED_IN = policy({ privilegedWorkspaces: 'allowed' })
const withModules = (...[changes]: Parameters<typeof modules>): Partial<Values> => ({
  'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules(changes) }
})
const hostPaths = (changes: Partial<Values['host-paths']>): Partial<Values> => ({
  'host-paths': { ...IDEAL['host-paths'], ...changes }
})
const profiles = (profile: string, mode: string): Partial<Values> => ({
  apparmor: { ...IDEAL.apparmor, profiles: { ok: true, value: new Map([[profile, mode]]) } }
})
const closed = { ok: false, why: 'the list of profiles is closed' } as const
const node = (changes: Partial<Values['node']>): Partial<Values> => ({ node: { ...IDEAL.node, ...changes } })
const slices = (devices: number, tainted: number): Partial<Values> => ({
  ...node({ allocatable: {} }),
  'resource-slices': { asked: true, devices, tainted }
})
const virtual: Partial<Values> = { machine: { kind: 'virtual', sign: 'DMI says KVM' } }
const MISSING = { exists: false, parentWritable: false }
const CREATED = { exists: false, parentWritable: true }

const DEAD = { ok: true, value: 'dead' } as const
const HIDDEN = { ok: false, why: 'hidden' } as const

describe('every part of every verdict has a name, a reason, its facts, and a way out if it is a no', () => {
  const nodes: [string, Partial<Values>, (readonly FactName[])?][] = [
    ['the ideal node', {}],
    ['a node of which nothing is known', {}, FACTS],
    ['a node without Node', {}, ['node']],
    ['a node that offers by DRA alone', slices(1, 0)],
    ['a node that offers nothing', slices(0, 0)],
    ['a node with tainted devices', slices(1, 1)],
    ['a node whose slices are not known', slices(0, 0), ['resource-slices']],
    ['a node whose helper cannot be heard', {}, ['proofs']],
    ['COS', { distro: distro('cos', '113') }],
    ['Bottlerocket with SELinux', { distro: distro('bottlerocket'), selinux: 'enforcing' }],
    ['Talos', { distro: distro('talos') }],
    ['Amazon Linux 2', { distro: distro('amzn', '2') }],
    ['a kernel of 4.19', { kernel: kernel('4.19.0') }],
    ['a kernel of 5.4', { kernel: kernel('5.4.0'), ...withModules({ overlay: 'absent' }) }],
    ['an EL 9 kernel', { kernel: kernel('5.14.0-427.el9_4.x86_64'), distro: distro('rocky', '9.4') }],
    ['no modules', { 'kernel-modules': { ...IDEAL['kernel-modules'], supported: false } }],
    ['modules that are missing', withModules({ fuse: 'absent', nf_tables: 'absent', ip_tables: 'absent', veth: 'unknown' })],
    ['permissive SELinux', { selinux: 'permissive' }],
    ['enforcing SELinux', { selinux: 'enforcing' }],
    ['an enforced profile', profiles('/usr/bin/fusermount3', 'enforce')],
    [
      'closed profiles',
      { apparmor: { enabled: closed, profiles: closed, fusermount3: closed, podmanFile: closed }, 'apparmor-userns': 'on' }
    ],
    [
      'AppArmor that is off',
      { apparmor: { enabled: { ok: true, value: false }, profiles: closed, fusermount3: closed, podmanFile: closed } }
    ],
    [
      'no profile file',
      {
        apparmor: {
          enabled: closed,
          profiles: closed,
          fusermount3: { ok: true, value: { state: 'absent', allowsSysbox: false } },
          podmanFile: { ok: true, value: false }
        }
      }
    ],
    ['restricted user namespaces', { 'apparmor-userns': 'on' }],
    ['unrestricted user namespaces', { 'apparmor-userns': 'off' }],
    ['no user namespaces', { 'user-namespaces': { compiled: false, max: 0, unprivileged: false } }],
    ['none for users', { 'user-namespaces': { compiled: true, max: 1, unprivileged: false } }],
    [
      'none at all',
      { 'user-namespaces': { compiled: true, max: 0, unprivileged: true }, 'namespace-limits': { mnt: 3, pid: 0 } }
    ],
    ['no pid namespaces', { 'namespace-limits': { mnt: 4, pid: 0 } }],
    ['ptrace for nobody', { yama: 3, seccomp: [] }],
    ['no Yama', { yama: 'absent' }],
    ['a seccomp default', { 'seccomp-default': 'on' }],
    ['a disk on NFS', { storage: storage({ type: 'nfs' }), 'sysbox-storage': storage({ type: 'overlay' }) }],
    ['an unknown disk', { storage: storage({ type: 'zfs', noExec: true }), 'sysbox-storage': storage({ type: 'zfs', free: 0 }) }],
    ['failed trials', { proofs: proofs({ 'id-mapped-mount': 'fails' }), storage: storage({ type: 'zfs' }) }],
    ['a failed overlay', { proofs: proofs({ 'overlay-on-id-mapped': 'fails' }), kernel: kernel('6.1.0') }],
    ['trials that worked', { proofs: proofs({ 'id-mapped-mount': 'works' }), storage: storage({ type: 'zfs' }) }],
    ['missing host paths', hostPaths({ '/usr/src': MISSING })],
    ['host paths to be made', hostPaths({ '/lib/modules': CREATED })],
    ['no FUSE', { fuse: { registered: false, device: undefined }, conntrack: false }],
    ['no FUSE device', { fuse: { registered: true, device: undefined } }],
    ['another FUSE device', { fuse: { registered: true, device: { number: '1:3', mode: 0o666 } } }],
    ['a closed FUSE device', { fuse: { registered: true, device: { number: '10:229', mode: 0o600 } } }],
    ['no GPU', { gpus: [] }],
    ['an AMD GPU', { gpus: [{ address: '0000:00:1e.0', vendor: 'amd', driver: 'amdgpu' }] }],
    ['an unbound GPU', { gpus: [{ address: '0000:00:1e.0', vendor: 'nvidia', driver: '' }], 'nvidia-driver': 'none' }],
    ['no device files', { 'nvidia-devices': { control: false, gpus: 0, nouveau: true }, mig: true, ...virtual }],
    ['nothing offered', node({ allocatable: {}, runtimeHandlers: ['runc'], containerRuntime: 'cri-o://1.30.0' })],
    ['an old kubelet', node({ runtimeHandlers: undefined, containerRuntime: '' })],
    [
      'CRI-O with Sysbox',
      node({ runtimeHandlers: undefined, containerRuntime: 'cri-o://1.29', labels: { 'sysbox-runtime': 'running' } })
    ],
    ['a tainted Node', node({ taints: [{ key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' }] })],
    ['no Sysbox', { sysbox: { ...IDEAL.sysbox, programs: [] } }],
    ['a dead Sysbox', { sysbox: { ...IDEAL.sysbox, manager: DEAD } }],
    ['a hidden Sysbox', { sysbox: { ...IDEAL.sysbox, fs: HIDDEN, version: HIDDEN } }],
    ['a covered procfs', { procfs: ['/proc/cmdline'] }],
    ['a read-only /var/lib', { 'var-lib': storage({ readOnly: true }) }],
    ['/var/lib in an image', { 'var-lib': storage({ type: 'erofs' }) }],
    ...(['loadable', 'buildable', 'absent', 'broken'] as const).map((state): [string, Partial<Values>] => [
      `shiftfs ${state}`,
      { shiftfs: { ...IDEAL.shiftfs, state } }
    ]),
    ['a suspect shiftfs', { shiftfs: { ...IDEAL.shiftfs, suspect: true } }],
    ['a shiftfs from elsewhere', { shiftfs: { ...IDEAL.shiftfs, outOfTree: true }, distro: distro('debian', '12') }],
    ['a shiftfs from nobody knows where', { shiftfs: { ...IDEAL.shiftfs, outOfTree: undefined }, distro: distro('debian', '12') }]
  ]
  const lenient: Partial<Policy> = {
    gpuInVirtualMachines: 'allow',
    shiftfsOutsideUbuntu: 'allow',
    apparmorUserns: 'allow',
    selinuxPodman: 'allow',
    privilegedWorkspaces: 'denied',
    minimumKernel: [5, 10]
  }

  const isWhole = ({ name, because, reasons, cautions, wayOut, answer, parts, facts }: Verdict): boolean =>
    facts.every(fact => FACTS.includes(fact)) &&
    (parts.length > 0 || facts.length > 0 || /^privileged pods are (allowed|denied) by --/.test(because)) &&
    ![name, because, ...reasons, ...cautions, ...wayOut].includes('') &&
    reasons.length > 0 &&
    (answer === 'yes' ? wayOut.length === 0 : answer === 'unknown' || wayOut.length > 0)

  test.each(nodes)('on %s', (_, changes, unknowns = []) => {
    for (const terms of [OPTED_IN, policy(lenient), policy({ workspaceNamespace: 'ws' })]) {
      const parts = Object.values(decide(factsOf(changes, ...unknowns), terms)).flatMap(allParts)
      expect(parts.filter(part => !isWhole(part))).toEqual([])
    }
  })
})

describe('the reason of a part contains the measured value', () => {
  test.each<[Capability, string, Partial<Values>, Answer, string]>([
    ['cvm', 'architecture', {}, 'yes', 'architecture amd64'],
    ['cvm', 'architecture', { architecture: 's390x' }, 'no', 'architecture s390x; Sysbox runs on amd64 and arm64 only'],
    ['cvm', 'kernel', {}, 'yes', 'kernel 5.15.0-116-generic is at or above 5.7'],
    ['cvm', 'distribution', {}, 'yes', 'Ubuntu 22.04.5 LTS'],
    ['cvm', 'distribution', { distro: distro('cos', '113') }, 'no', 'cos 113 cannot host Sysbox'],
    ['cvm', 'seccomp notification', {}, 'yes', 'seccomp has the action user_notif'],
    ['cvm', 'user namespaces', {}, 'yes', 'user.max_user_namespaces is 65536'],
    ['cvm', 'loadable modules', {}, 'yes', '/proc/modules exists'],
    ['cvm', 'module veth', withModules({ veth: 'absent' }), 'no', 'veth: as the test says'],
    ['cvm', 'module nft_compat', {}, 'yes', 'nft_compat: as the test says'],
    ['cvm', 'SELinux', {}, 'yes', 'there is no SELinux'],
    ['cvm', 'SELinux', { selinux: 'permissive' }, 'yes', 'SELinux is permissive'],
    ['cvm', 'AppArmor', {}, 'yes', 'AppArmor enforces no profile for fusermount3'],
    ['cvm', 'AppArmor', profiles('fusermount3', 'enforce'), 'no', 'the profile fusermount3, which'],
    ['cvm', 'AppArmor', profiles('/usr/bin/fusermount3', 'enforce'), 'no', 'the profile /usr/bin/fusermount3, which'],
    ['cvm', 'AppArmor', profiles('/bin/fusermount3', 'enforce'), 'no', 'the profile /bin/fusermount3, which'],
    ['cvm', 'ptrace scope', { yama: 2 }, 'yes', 'kernel.yama.ptrace_scope is 2'],
    ['cvm', 'ptrace scope', { yama: 3 }, 'no', 'kernel.yama.ptrace_scope is 3, and cannot be lowered until the next reboot'],
    ['cvm', 'ptrace scope', { yama: 'absent' }, 'yes', 'there is no Yama'],
    ['cvm', 'data file system', {}, 'yes', '/var/lib/kubelet is on ext4 (mounted at /)'],
    ['cvm', 'ID-mapped mounts', { kernel: kernel('5.10.7') }, 'yes', 'not needed on kernel 5.10.7'],
    ['cvm', 'ID-mapped mounts', { kernel: kernel('6.1.66') }, 'yes', 'kernel 6.1.66 has ID-mapped mounts'],
    ['cvm', 'host paths', {}, 'yes', '/usr/src and /lib/modules exist'],
    ['cvm', 'host paths', hostPaths({ '/usr/src': CREATED }), 'yes', '/usr/src will be created by the container runtime'],
    [
      'cvm',
      'host paths',
      hostPaths({ '/usr/src': CREATED, '/lib/modules': CREATED }),
      'yes',
      '/usr/src and /lib/modules will be created by the container runtime'
    ],
    [
      'cvm',
      'host paths',
      hostPaths({ '/usr/src': MISSING, '/lib/modules': CREATED }),
      'no',
      '/usr/src does not exist and cannot be created'
    ],
    [
      'cvm',
      'host paths',
      hostPaths({ '/usr/src': MISSING, '/lib/modules': MISSING }),
      'no',
      '/usr/src and /lib/modules do not exist and cannot be created'
    ],
    ['cached-cvm', 'container runtime', {}, 'yes', 'the container runtime is containerd://1.7.27'],
    [
      'cached-cvm',
      'container runtime',
      node({ containerRuntime: 'cri-o://1.30' }),
      'no',
      'the container runtime is cri-o://1.30;'
    ],
    ['cached-cvm', '/var/lib', {}, 'yes', '/var/lib is on ext4, which is writable'],
    ['cached-cvm', '/var/lib', { 'var-lib': storage({ readOnly: true }) }, 'no', 'a read-only file system (ext4 at /)'],
    ['cached-cvm', '/var/lib', { 'var-lib': storage({ type: 'erofs' }) }, 'no', 'an image file system (erofs at /)'],
    ['cached-cvm', 'distribution of the cache', {}, 'yes', 'Ubuntu 22.04.5 LTS'],
    ['cached-cvm', 'distribution of the cache', { distro: distro('amzn', '2') }, 'no', 'amzn 2 is not supported for cached CVMs'],
    [
      'cached-cvm',
      'shiftfs',
      { shiftfs: { ...IDEAL.shiftfs, state: 'loadable', because: 'why' } },
      'yes',
      'shiftfs is loadable: why'
    ],
    ['cached-cvm', 'shiftfs', { shiftfs: { ...IDEAL.shiftfs, state: 'absent', because: 'why' } }, 'no', 'shiftfs is absent: why'],
    ['cached-cvm', 'container runtime', node({ containerRuntime: '' }), 'unknown', 'does not name its container runtime'],
    ['gpu', 'hardware', {}, 'yes', '1 NVIDIA GPU (0000:00:1e.0)'],
    [
      'gpu',
      'hardware',
      { gpus: [...IDEAL.gpus, { address: '0000:00:1f.0', vendor: 'nvidia', driver: '' }] },
      'yes',
      '2 NVIDIA GPUs (0000:00:1e.0, 0000:00:1f.0)'
    ],
    [
      'gpu',
      'hardware',
      { gpus: (['amd', 'intel', 'amd'] as const).map(vendor => ({ address: 'x', vendor, driver: '' })) },
      'no',
      'the GPUs are from amd and intel; only NVIDIA GPUs are supported'
    ],
    ['gpu', 'bound driver', {}, 'yes', '1 of 1 bound to the driver nvidia'],
    [
      'gpu',
      'bound driver',
      {
        gpus: [
          { address: '0000:00:1d.0', vendor: 'amd', driver: 'amdgpu' },
          ...IDEAL.gpus,
          { address: '0000:00:1f.0', vendor: 'nvidia', driver: '' }
        ]
      },
      'yes',
      '1 of 2 bound to the driver nvidia'
    ],
    [
      'gpu',
      'bound driver',
      { gpus: [{ address: '0000:00:1e.0', vendor: 'nvidia', driver: 'vfio-pci' }] },
      'no',
      '0000:00:1e.0 is bound to vfio-pci'
    ],
    [
      'gpu',
      'bound driver',
      { gpus: [{ address: '0000:00:1e.0', vendor: 'nvidia', driver: '' }] },
      'no',
      'no driver is bound to 0000:00:1e.0'
    ],
    ['gpu', 'loaded driver', {}, 'yes', 'NVIDIA driver 550.135 is loaded'],
    ['gpu', 'device files', {}, 'yes', '/dev/nvidiactl exists, and the driver manages 1 GPU'],
    [
      'gpu',
      'device files',
      { 'nvidia-devices': { ...IDEAL['nvidia-devices'], gpus: 8 } },
      'yes',
      '/dev/nvidiactl exists, and the driver manages 8 GPUs'
    ],
    ['gpu', 'offered to pods', {}, 'yes', 'the Node offers 1 nvidia.com/gpu'],
    [
      'gpu',
      'offered to pods',
      node({ allocatable: { 'nvidia.com/mig-1g.5gb': 7 } }),
      'yes',
      'the Node offers 7 nvidia.com/mig-1g.5gb'
    ],
    ['gpu', 'offered to pods', node({ allocatable: { 'amd.com/gpu': 7 } }), 'unknown', 'ResourceSlices were not read'],
    ['gpu', 'offered to pods', slices(0, 0), 'no', 'the Node offers no nvidia.com/gpu'],
    ['gpu', 'offered to pods', slices(0, 0), 'no', "NVIDIA's DRA driver offers no device"],
    ['gpu', 'offered to pods', slices(8, 1), 'yes', "NVIDIA's DRA driver offers 7 devices"],
    ['gpu', 'offered to pods', slices(8, 8), 'no', 'each of the 8 devices'],
    ['gpu-cvm', 'bare metal', {}, 'yes', 'bare metal: Dell'],
    ['gpu-cvm', 'bare metal', virtual, 'no', 'the node is a virtual machine (DMI says KVM);'],
    ['gpu-cvm', 'whole GPUs', {}, 'yes', 'no GPU is split'],
    ['podman', 'namespace limits', {}, 'yes', 'user.max_mnt_namespaces is 65536, user.max_pid_namespaces is 65536'],
    ['podman', 'namespace limits', { 'namespace-limits': { mnt: 3, pid: 9 } }, 'no', 'user.max_mnt_namespaces is 3;'],
    ['podman', 'namespace limits', { 'namespace-limits': { mnt: 9, pid: 0 } }, 'no', 'user.max_pid_namespaces is 0'],
    ['podman', 'AppArmor and user namespaces', {}, 'yes', 'the kernel has no AppArmor restriction'],
    ['podman', 'AppArmor and user namespaces', { 'apparmor-userns': 'off' }, 'yes', 'apparmor_restrict_unprivileged_userns is 0'],
    ['podman', 'AppArmor and user namespaces', { 'apparmor-userns': 'on' }, 'no', 'apparmor_restrict_unprivileged_userns is 1'],
    ['podman', 'FUSE driver', {}, 'yes', 'fuse is registered in /proc/filesystems'],
    ['podman', 'FUSE device', {}, 'yes', '/dev/fuse is device 10:229'],
    ['podman', 'mode of /dev/fuse', {}, 'yes', '/dev/fuse has mode 0666'],
    [
      'podman',
      'mode of /dev/fuse',
      { fuse: { registered: true, device: { number: '10:229', mode: 0o20 } } },
      'no',
      'has mode 0020'
    ],
    [
      'podman',
      'FUSE device',
      { fuse: { registered: true, device: { number: '1:3', mode: 0o666 } } },
      'no',
      '/dev/fuse is 1:3, not'
    ],
    [
      'podman',
      'FUSE device',
      { fuse: { registered: false, device: undefined } },
      'no',
      '/dev/fuse is missing, so nothing loads the driver'
    ],
    [
      'podman',
      'FUSE device',
      { fuse: { registered: true, device: undefined } },
      'no',
      '/dev/fuse is missing, although the driver is loaded'
    ],
    ['podman', 'FUSE offered to pods', {}, 'yes', 'the Node offers 10 github.com/fuse'],
    ['podman', 'FUSE offered to pods', node({ allocatable: {} }), 'no', 'none of github.com/fuse, smarter-devices/fuse'],
    ['podman', 'SELinux', {}, 'yes', 'there is no SELinux'],
    ['podman', 'SELinux', { selinux: 'permissive' }, 'yes', 'SELinux is permissive'],
    ['podman', 'seccomp profile', { 'seccomp-default': 'unseen' }, 'yes', "kubelet's seccompDefault could not be read"],
    ['podman', 'overlay in user namespaces', {}, 'yes', 'kernel 5.15.0-116-generic mounts overlay in user namespaces'],
    ['podman', 'overlay in user namespaces', { kernel: kernel('5.4.7') }, 'yes', 'kernel 5.4.7 cannot'],
    ['sysbox', 'installed', {}, 'yes', '/usr/bin/sysbox-runc'],
    [
      'sysbox',
      'installed',
      { sysbox: { ...IDEAL.sysbox, programs: ['/opt/bin/sysbox-mgr', '/opt/bin/sysbox-runc'] } },
      'yes',
      '/opt/bin/sysbox-mgr, /opt/bin/sysbox-runc'
    ],
    ['sysbox', 'runtime handler', {}, 'yes', 'the Node reports the runtime handler sysbox-runc'],
    ['sysbox', 'runtime handler', node({ runtimeHandlers: ['runc'] }), 'no', 'does not report the runtime handler sysbox-runc'],
    ['sysbox', 'runtime handler', node({ runtimeHandlers: undefined }), 'unknown', 'kubelet v1.33.4 does not report'],
    [
      'sysbox',
      'runtime handler',
      node({ runtimeHandlers: undefined, containerRuntime: 'cri-o://1.29.1', labels: { 'sysbox-runtime': 'running' } }),
      'yes',
      'cri-o://1.29.1 with the label sysbox-runtime=running'
    ],
    [
      'sysbox',
      'runtime handler',
      node({ runtimeHandlers: undefined, containerRuntime: 'cri-o://1.29.1', labels: { 'sysbox-runtime': 'installing' } }),
      'unknown',
      'kubelet v1.33.4 does not report'
    ],
    ['sysbox', 'daemons', {}, 'yes', 'sysbox-mgr and sysbox-fs are running'],
    ['sysbox', 'daemons', { sysbox: { ...IDEAL.sysbox, manager: DEAD } }, 'no', 'sysbox-mgr is not running'],
    [
      'sysbox',
      'daemons',
      { sysbox: { ...IDEAL.sysbox, manager: DEAD, fs: DEAD } },
      'no',
      'sysbox-mgr and sysbox-fs are not running'
    ],
    ['sysbox', 'taint', {}, 'yes', 'the Node has no taint sysbox-runtime=not-running'],
    [
      'sysbox',
      'taint',
      node({ taints: [{ key: 'example.com/other', value: 'not-running', effect: 'NoSchedule' }] }),
      'yes',
      'the Node has no taint'
    ],
    ['sysbox', 'FUSE now', {}, 'yes', 'fuse is registered in /proc/filesystems'],
    ['sysbox', 'nf_conntrack now', {}, 'yes', '/sys/module/nf_conntrack/parameters exists'],
    ['sysbox', 'nf_conntrack now', { conntrack: false }, 'no', '/sys/module/nf_conntrack/parameters is missing']
  ])('%s, %s (%#)', (capability, name, changes, answer, sentence) => {
    const verdict = decide(factsOf(changes), policy())[capability] as Verdict
    const part = allParts(verdict).find(each => each.name === name)
    expect(part?.answer).toBe(answer)
    expect(part?.because).toContain(sentence)
  })
})
