import { type AsUser, type Draft, device, directory, type Entry, link, locked, type Machine, type Tree } from './played.ts'

/** What machines share, each a part of a tree; a machine is some of these, the later ones over the earlier. */

const GB = 1e9
const GIB = 1024 ** 3

interface Parts {
  readonly about: string
  readonly source: string
  readonly parts: readonly Tree[]
  readonly expected: Draft['expected']
  readonly expectedAsUser?: AsUser
  readonly node?: Machine['node']
  readonly arch?: string
  /** Gigabytes free of in all, at the kubelet's root. */
  readonly space?: readonly [free: number, total: number]
  readonly size?: { readonly cpu: string; readonly cores: number; readonly memory: number }
  readonly programs?: Machine['programs']
}

export const machine = ({ parts, arch, space = [82, 100], size, ...draft }: Parts): Draft => ({
  programs: {},
  node: undefined,
  expectedAsUser: undefined,
  ...draft,
  arch: arch ?? 'amd64',
  tree: Object.assign({}, ...parts),
  space: { free: space[0] * GB, total: space[1] * GB },
  inventory: size && {
    cpu: { model: size.cpu, cores: size.cores },
    memory: { total: size.memory * GIB, available: size.memory * 0.8 * GIB },
    disks: [{ name: 'sda', size: space[1] * GB, type: 'SSD' }]
  }
})

/** os-release(5), in /usr/lib with the usual link to it; a value may bring quotes of its own. */
export const distro = (fields: Readonly<Record<string, string>>): Tree => ({
  '/etc/os-release': link('../usr/lib/os-release'),
  '/usr/lib/os-release': `${Object.entries(fields)
    .map(([key, value]) => `${key}=${/^[\w.-]+$|^"/.test(value) ? value : `"${value}"`}`)
    .join('\n')}\n`
})

/** Numbers of /proc/sys by their dotted names. */
export const sysctl = (values: Readonly<Record<string, number>>): Tree =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`/proc/sys/${name.replaceAll('.', '/')}`, `${value}\n`]))

const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'pid_for_children', 'time', 'user', 'uts']

/** What these Ubuntu kernels are made from; `5.15.0-1084-aws` as it was seen, the others by their month. */
const UPSTREAM: Readonly<Record<string, string>> = {
  '5.15.0-52-generic': '5.15.60',
  '5.15.0-91-generic': '5.15.131',
  '5.15.0-1017-aws': '5.15.46',
  '5.15.0-1028-gke': '5.15.78',
  '5.15.0-1061-gke': '5.15.152',
  '5.15.0-1084-aws': '5.15.179',
  '5.15.0-1102-azure': '5.15.189'
}

/** The number of the upload, which nobody reads, is left at 1. */
const signature = (release: string): Tree => {
  const [, version, flavour] = /^(.*)-([a-z]+)$/.exec(release) ?? []
  const upstream = UPSTREAM[release]
  return upstream === undefined ? {} : { '/proc/version_signature': `Ubuntu ${version}.1-${flavour} ${upstream}\n` }
}

/** The kubelet refuses a node with swap unless it is told otherwise, so most have none. */
export const SWAPS = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'

/** The usual machine under a kernel: /proc, /sys and /dev as any Linux of these years has them, and a merged /usr. */
export const linux = (release: string, cmdline = 'ro quiet'): Tree => ({
  '/lib': link('usr/lib'),
  '/usr/src': directory,
  '/usr/bin': directory,
  '/etc/modprobe.d/blacklist.conf': '# evbug is a debug tool that should be loaded explicitly\nblacklist evbug\n',
  [`/usr/lib/modules/${release}`]: directory,
  '/var/lib/kubelet': directory,
  '/var/lib/containerd': directory,
  '/run': directory,
  '/proc/cmdline': `BOOT_IMAGE=/boot/vmlinuz-${release} ${cmdline}\n`,
  '/proc/self/uid_map': '         0          0 4294967295\n',
  ...Object.fromEntries(NAMESPACES.map(name => [`/proc/self/ns/${name}`, ''])),
  '/proc/swaps': SWAPS,
  '/proc/sys/kernel/osrelease': `${release}\n`,
  ...signature(release),
  '/proc/sys/kernel/random/boot_id': '3f2b8c1e-5d0a-4b7e-9c46-1f8e2a90d7b3\n',
  '/proc/sys/kernel/seccomp/actions_avail': 'kill_process kill_thread trap errno user_notif trace log allow\n',
  '/sys/kernel/security/lsm': 'lockdown,capability,yama,apparmor',
  '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
  '/sys/module/module/parameters/sig_enforce': 'N\n',
  '/sys/fs/cgroup': directory,
  '/sys/firmware/acpi': directory,
  '/sys/bus/pci/devices': directory,
  '/sys/hypervisor': directory,
  '/dev/null': device('1:3'),
  '/dev/fuse': device('10:229'),
  ...sysctl({
    'fs.inotify.max_user_watches': 524_288,
    'fs.inotify.max_user_instances': 8_192,
    'kernel.modules_disabled': 0,
    'kernel.yama.ptrace_scope': 1,
    'user.max_user_namespaces': 62_872,
    'user.max_mnt_namespaces': 62_872,
    'user.max_pid_namespaces': 62_872
  }),
  ...mounts()
})

/** Mount point, type and options; the file systems of the kernel come along. */
export type Mount = readonly [point: string, type: string, options?: string]

export const mounts = (...disks: readonly Mount[]): Tree => {
  const all: readonly Mount[] = [
    ...(disks.length === 0 ? [['/', 'ext4'] as const] : disks),
    ['/proc', 'proc', 'rw,nosuid,nodev,noexec,relatime'],
    ['/sys', 'sysfs', 'rw,nosuid,nodev,noexec,relatime'],
    ['/sys/kernel/security', 'securityfs', 'rw,nosuid,nodev,noexec,relatime'],
    ['/sys/fs/cgroup', 'cgroup2', 'rw,nosuid,nodev,noexec,relatime'],
    ['/dev', 'devtmpfs', 'rw,nosuid'],
    ['/run', 'tmpfs', 'rw,nosuid,nodev']
  ]
  const lines = all.map(([point, type, options = 'rw,relatime'], index) => {
    const source = /^(ext|xfs|btrfs)/.test(type) ? `/dev/sda${index + 1}` : type
    return `${22 + index} ${point === '/' ? 1 : 22} 0:${20 + index} / ${point} ${options} shared:${index + 1} - ${type} ${source} ${options.slice(0, 2)}\n`
  })
  return { '/proc/1/mountinfo': lines.join('') }
}

const hidden = `${mounts()['/proc/1/mountinfo']}`.replace(' - proc proc rw', ' - proc proc rw,hidepid=invisible')
const belowHost = hidden.replaceAll(/^((?:\S+ ){4})(\S+)/gm, (_, ids: string, point: string) =>
  point === '/' ? `${ids}/host` : `${ids}/host${point}`
)

/** /proc mounted with hidepid=2, and the mounts as the agent's own pod sees them. */
export const hidepid: Tree = {
  '/proc/1/mountinfo': hidden,
  '/proc/self/mountinfo': `90 80 0:90 / / ro,relatime - overlay overlay ro\n${belowHost}`
}

/** The token of a pod, as the kubelet mounts it below its root. */
export const podBelow = (root: string): Mount => [
  `${root}/pods/00000000-0000-4000-8000-000000000000/volumes/kubernetes.io~projected/kube-api-access-x`,
  'tmpfs'
]

const FILES: Readonly<Record<string, string>> = {
  iptable_filter: 'kernel/net/ipv4/netfilter/iptable_filter.ko',
  iptable_nat: 'kernel/net/ipv4/netfilter/iptable_nat.ko',
  iptable_raw: 'kernel/net/ipv4/netfilter/iptable_raw.ko',
  br_netfilter: 'kernel/net/bridge/br_netfilter.ko',
  bridge: 'kernel/net/bridge/bridge.ko',
  fuse: 'kernel/fs/fuse/fuse.ko',
  ip_tables: 'kernel/net/ipv4/netfilter/ip_tables.ko',
  nf_conntrack: 'kernel/net/netfilter/nf_conntrack.ko',
  nf_tables: 'kernel/net/netfilter/nf_tables.ko',
  overlay: 'kernel/fs/overlayfs/overlay.ko',
  shiftfs: 'kernel/fs/shiftfs.ko',
  veth: 'kernel/drivers/net/veth.ko'
}
const FILE_SYSTEMS = ['fuse', 'overlay', 'shiftfs']

/** iptables-legacy's tables, what iptables-nft adds to nf_tables, and the matches and targets of both, as Docker uses them. */
const TABLES = ['iptable_filter', 'iptable_nat', 'iptable_raw']
const COMPAT = ['nft_chain_nat', 'nft_compat']
const MATCHES = ['xt_MASQUERADE', 'xt_addrtype', 'xt_conntrack', 'xt_nat', 'xt_tcpudp']

/** What the kernel's own packages of each distribution have of them, as modules unless it says otherwise. */
export const NETFILTER = {
  /** linux-image-amd64 and -cloud-amd64, 5.10 to 6.12 as measured in virtual machines. */
  debian: [...TABLES, ...COMPAT, ...MATCHES],
  /** linux-modules, without linux-modules-extra: kube-proxy and Docker of cloud images run on it. */
  ubuntu: [...TABLES, ...COMPAT, ...MATCHES],
  /** kernel-modules (EL 8), kernel-modules-core and kernel-modules (EL 9). */
  el: [...TABLES, ...COMPAT, ...MATCHES],
  /** kernel-modules-core of EL 10: the rest moved to kernel-modules-extra. */
  el10Core: ['nft_chain_nat'],
  amazon: [...TABLES, ...COMPAT, ...MATCHES],
  azureLinux: [...TABLES, ...COMPAT, ...MATCHES],
  flatcar: [...TABLES, ...COMPAT, ...MATCHES],
  /** Docker in Envbox ran on it: https://github.com/coder/envbox/pull/176. */
  bottlerocket: [...TABLES, ...COMPAT, ...MATCHES],
  /** Without nft_compat: its containers' iptables are the legacy ones. */
  cos: [...TABLES, ...MATCHES],
  talos: [...TABLES, ...MATCHES],
  /** L4T 36 (5.15.148-tegra): CONFIG_NF_TABLES is not set. */
  tegra: [...TABLES, ...MATCHES],
  /** minikube's kernel: iptables-legacy, CONFIG_NF_TABLES is not set. */
  buildroot: [...TABLES, ...MATCHES],
  none: []
} as const satisfies Readonly<Record<string, readonly string[]>>

interface Modules {
  readonly loaded: readonly string[]
  /** On the disk and not loaded. */
  readonly loadable?: readonly string[]
  readonly builtin?: readonly string[]
  /** On the disk and not loaded, of `NETFILTER`; built in where nothing is loaded. */
  readonly netfilter: readonly string[]
  /** After `.ko`, as the distribution packs them. */
  readonly packed?: '.xz' | '.zst' | '.gz'
  /** Where a module lies that is not the kernel's own, and its taint in /proc/modules. */
  readonly foreign?: Readonly<Record<string, string>>
}

/** What has to be loaded before a module, where that is a module too. */
const needsOf = (name: string): readonly string[] => {
  if (name === 'br_netfilter') return ['bridge']
  if (name.startsWith('xt_') || name === 'ip_tables') return ['x_tables']
  if (name.startsWith('iptable_')) return ['ip_tables', 'x_tables']
  if (name === 'nft_compat') return ['nf_tables', 'x_tables']
  return name === 'nft_chain_nat' ? ['nf_tables'] : []
}

/** Every place where the modules of a kernel show: /proc/modules, /proc/filesystems, /sys/module, modules.dep and modules.builtin. */
export function modules(release: string, parts: Modules): Tree {
  const { packed = '', foreign = {}, loadable = [] } = parts
  const loaded = parts.loaded.includes('ip_tables') ? [...parts.loaded, 'x_tables'] : parts.loaded
  const onDisk = [...loadable, ...(loaded.length > 0 ? parts.netfilter.filter(name => !loaded.includes(name)) : [])]
  const builtin = [...(parts.builtin ?? []), ...(loaded.length > 0 ? [] : parts.netfilter)]
  const fileOf = (name: string) => (foreign[name] ?? FILES[name] ?? `kernel/net/netfilter/${name}.ko`) + packed
  const dep = [...new Set(['br_netfilter', 'x_tables', ...loaded, ...onDisk])].map(
    name =>
      `${fileOf(name)}:${needsOf(name)
        .map(need => ` ${fileOf(need)}`)
        .join('')}`
  )
  const live = [...loaded].map(name => `${name} 40960 0 - Live 0x0000000000000000${foreign[name] === undefined ? '' : ' (OE)'}\n`)
  const types = [...loaded, ...builtin].filter(name => FILE_SYSTEMS.includes(name))
  const directories = [...loaded, ...builtin.filter(name => ['fuse', 'overlay', 'nf_conntrack'].includes(name))]
  return {
    '/proc/modules': live.join(''),
    '/proc/filesystems': ['sysfs', 'tmpfs', 'proc', 'cgroup2', ...types]
      .map(name => `nodev\t${name}\n`)
      .concat('\text4\n')
      .join(''),
    [`/usr/lib/modules/${release}/modules.dep`]: `${dep.join('\n')}\n`,
    [`/usr/lib/modules/${release}/modules.builtin`]: ['ext4', ...builtin]
      .map(name => `${FILES[name] ?? `kernel/fs/${name}/${name}.ko`}\n`)
      .join(''),
    ...Object.fromEntries(directories.map(name => [`/sys/module/${name}`, directory])),
    ...(directories.includes('nf_conntrack') ? { '/sys/module/nf_conntrack/parameters/hashsize': '65536\n' } : {})
  }
}

/** What containerd and kube-proxy have loaded on any node of a cluster. */
export const WORKING = ['bridge', 'ip_tables', 'nf_conntrack', 'nf_tables', 'overlay', 'veth'] as const

const FLAGS = 'fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat ht syscall nx lm rep_good nopl'

/** An x86 processor, with the flag that only a virtual machine has, or without. */
export const cpu = (model: string, hypervisor: boolean): Tree => ({
  '/proc/cpuinfo': `processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: ${model}\nflags\t\t: ${FLAGS}${hypervisor ? ' hypervisor' : ''} lahf_lm\nbugs\t\t: spectre_v1\n\n`
})

/** An arm64 processor, which has no such flag. */
export const armCpu: Tree = {
  '/proc/cpuinfo':
    'processor\t: 0\nBogoMIPS\t: 2100.00\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics\nCPU part\t: 0xd40\n\n'
}

/** The strings that the firmware gives the machine. */
export const dmi = (vendor: string, product: string, more: Readonly<Record<string, string>> = {}): Tree =>
  Object.fromEntries(
    Object.entries({ sys_vendor: vendor, product_name: product, board_vendor: vendor, bios_vendor: vendor, ...more }).map(
      ([name, value]) => [`/sys/class/dmi/id/${name}`, `${value}\n`]
    )
  )

export const gce: Tree = {
  ...cpu('Intel(R) Xeon(R) CPU @ 2.20GHz', true),
  ...dmi('Google', 'Google Compute Engine', { product_version: '', chassis_asset_tag: '' })
}
export const ec2 = (type: string): Tree => ({
  ...(/^\w+g\w*\./.test(type) && !type.startsWith('g')
    ? armCpu
    : cpu('Intel(R) Xeon(R) Platinum 8259CL CPU', !/\.metal/.test(type))),
  ...dmi('Amazon EC2', type, { product_version: '', chassis_asset_tag: 'Amazon EC2' })
})
export const azure: Tree = {
  ...cpu('Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz', true),
  ...dmi('Microsoft Corporation', 'Virtual Machine', {
    bios_vendor: 'Microsoft Corporation',
    product_version: 'Hyper-V UEFI Release v4.1',
    chassis_asset_tag: '7783-7084-3265-9085-8269-3286-77'
  })
}
export const kvm: Tree = {
  ...cpu('QEMU Virtual CPU version 2.5+', true),
  ...dmi('QEMU', 'Standard PC (Q35 + ICH9, 2009)', { bios_vendor: 'SeaBIOS', product_version: 'pc-q35-8.2' })
}
export const dell: Tree = {
  ...cpu('Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz', false),
  ...dmi('Dell Inc.', 'PowerEdge R750xa', { product_version: '' })
}
export const supermicro: Tree = {
  ...cpu('Intel(R) Xeon(R) Platinum 8480C', false),
  ...dmi('Supermicro', 'SYS-821GE-TNHR', {
    bios_vendor: 'American Megatrends International, LLC.',
    product_version: '0123456789'
  })
}

const EFIVARS = '/sys/firmware/efi/efivars'
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'

/** UEFI firmware with its variables; `unmounted` where nobody mounted them. */
export const uefi = (secureBoot: 'on' | 'off' | 'unmounted'): Tree =>
  secureBoot === 'unmounted'
    ? { [EFIVARS]: directory }
    : {
        [`${EFIVARS}/BootCurrent-${GLOBAL}`]: '\x06\0\0\0\x01\0',
        [`${EFIVARS}/SecureBoot-${GLOBAL}`]: `\x06\0\0\0${secureBoot === 'on' ? '\x01' : '\0'}`,
        [`${EFIVARS}/SetupMode-${GLOBAL}`]: `\x06\0\0\0${secureBoot === 'on' ? '\0' : '\x01'}`
      }

export const lockdown = (level: 'integrity' | 'confidentiality'): Tree => ({
  '/sys/kernel/security/lockdown': `none ${['integrity', 'confidentiality'].map(name => (name === level ? `[${name}]` : name)).join(' ')}\n`
})

/** Whether AppArmor's profiles can be read, and which of them. */
export const apparmor = (...profiles: readonly string[]): Tree => ({
  '/sys/module/apparmor/parameters/enabled': 'Y\n',
  '/sys/kernel/security/apparmor/profiles': ['/usr/bin/man (enforce)', 'cri-containerd.apparmor.d (enforce)', ...profiles]
    .map(line => `${line}\n`)
    .join(''),
  '/etc/apparmor.d/usr.bin.man': '# profile\n',
  ...(profiles.some(line => line.startsWith('podman '))
    ? { '/etc/apparmor.d/podman': 'profile podman /usr/bin/podman flags=(unconfined) {\n  userns,\n}\n' }
    : {})
})

/** selinuxfs writes the digit without a newline. */
export const selinux = (enforce: 0 | 1): Tree => ({
  '/sys/fs/selinux/enforce': `${enforce}`,
  '/sys/kernel/security/lsm': 'lockdown,capability,yama,selinux,bpf'
})

const NEEDED = ['Makefile', 'Module.symvers', 'include/generated/autoconf.h', 'scripts/basic/fixdep', 'scripts/mod/modpost']
const FS_H = '/* SPDX-License-Identifier: GPL-2.0 */\nstruct inode;\nstruct super_operations {\n'

/** Complete kernel headers at `path`, with the lines of fs.h that matter; Debian's lie in a second folder. */
export const headers = (release: string, path: string, signs: readonly string[], common = path): Tree => ({
  [`/usr/lib/modules/${release}/build`]: link(path),
  ...(common === path ? {} : { [`/usr/lib/modules/${release}/source`]: link(common) }),
  ...Object.fromEntries(NEEDED.map(name => [`${path}/${name}`, '#\n'])),
  [`${common}/include/linux/fs.h`]: `${FS_H}${signs.map(sign => `${sign}\n`).join('')}`
})
export const IDMAPPED = 'static inline bool is_idmapped_mnt(const struct vfsmount *mnt)'
export const RENAMEDATA = 'struct renamedata {'

export interface Pci {
  readonly at: string
  readonly vendor: string
  readonly kind: string
  readonly driver?: string
}

/** PCI devices, each with its driver's link. */
export const pci = (...devices: readonly Pci[]): Tree =>
  Object.assign(
    {},
    ...devices.map(({ at, vendor, kind, driver }) => {
      const path = `/sys/devices/pci0000:00/${at}`
      const bound: Record<string, Entry> =
        driver === undefined
          ? {}
          : { [`${path}/driver`]: link(`/sys/bus/pci/drivers/${driver}`), [`/sys/bus/pci/drivers/${driver}`]: directory }
      return {
        [`/sys/bus/pci/devices/${at}`]: link(path),
        [`${path}/vendor`]: `${vendor}\n`,
        [`${path}/class`]: `${kind}\n`,
        ...bound
      }
    })
  )
export const NVIDIA_3D = { vendor: '0x10de', kind: '0x030200' } as const
/** The network card and the disk that any machine has, so that a list of devices is never empty. */
export const virtio: Tree = pci({ at: '0000:00:05.0', vendor: '0x1af4', kind: '0x020000', driver: 'virtio-pci' })
export const board: Tree = pci(
  { at: '0000:00:1f.2', vendor: '0x8086', kind: '0x010601', driver: 'ahci' },
  { at: '0000:03:00.0', vendor: '0x1a03', kind: '0x030000', driver: 'ast' }
)

/** The NVIDIA driver, loaded, with the GPUs at these addresses, and its device files. */
export const nvidia = (version: string, at: readonly string[], open = false): Tree => ({
  '/proc/driver/nvidia/version': open
    ? `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  ${version}  Release Build  (dvs-builder@U16)  Tue Sep 23 09:55:41 UTC 2025\nGCC version:  gcc version 12.3.0\n`
    : `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${version}  Fri Jan 10 20:00:00 UTC 2025\nGCC version:  gcc version 12.3.0\n`,
  '/proc/driver/nvidia/capabilities/mig/config': 'DeviceFileMinor: 1\n',
  '/sys/module/nvidia': directory,
  '/dev/nvidiactl': device('195:255'),
  '/dev/nvidia-uvm': device('511:0'),
  ...Object.fromEntries(at.map((_, index) => [`/dev/nvidia${index}`, device(`195:${index}`)])),
  ...Object.fromEntries(
    at.map((address, index) => [`/proc/driver/nvidia/gpus/${address}/information`, `Device Minor: \t ${index}\n`])
  )
})

/** Sysbox installed on the node, with both daemons alive. */
export const sysbox: Tree = {
  '/usr/bin/sysbox-runc': '',
  '/usr/bin/sysbox-mgr': '',
  '/usr/bin/sysbox-fs': '',
  // For root only.
  '/run/sysbox': locked('EACCES'),
  '/sys/fs/cgroup/system.slice/sysbox-mgr.service/cgroup.procs': '1412\n',
  '/sys/fs/cgroup/system.slice/sysbox-fs.service/cgroup.procs': '1436\n',
  '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': 'v0.7.1\n',
  '/proc/1/comm': 'systemd\n',
  '/proc/1412/comm': 'sysbox-mgr\n',
  '/proc/1436/comm': 'sysbox-fs\n',
  '/var/lib/sysbox': directory
}

interface NodeDraft {
  readonly name: string
  readonly kubelet: string
  readonly image: string
  readonly kernel: string
  readonly runtime: string
  readonly providerID?: string
  readonly offers?: Readonly<Record<string, string>>
  /** `undefined` for kubelets before 1.30. */
  readonly handlers?: readonly string[]
  /** What each handler reports of itself. */
  readonly features?: Readonly<Record<string, boolean>>
  /** Only kubelets from 1.37 on report it. */
  readonly inUserNamespace?: boolean
  readonly taints?: readonly { readonly key: string; readonly value: string; readonly effect: string }[]
  readonly labels?: Readonly<Record<string, string>>
  readonly arch?: string
}

/** A Node object as the API gives it, as far as it matters here. */
export const kubeNode = (draft: NodeDraft): Readonly<Record<string, unknown>> => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: draft.name, labels: { 'kubernetes.io/hostname': draft.name, ...draft.labels } },
  spec: {
    ...(draft.providerID === undefined ? {} : { providerID: draft.providerID }),
    ...(draft.taints === undefined ? {} : { taints: draft.taints })
  },
  status: {
    allocatable: { cpu: '3920m', memory: '14300000Ki', pods: '110', ...draft.offers },
    ...(draft.handlers === undefined
      ? {}
      : {
          runtimeHandlers: draft.handlers.map(name => ({
            name,
            features: draft.features ?? { recursiveReadOnlyMounts: true, userNamespaces: true }
          }))
        }),
    nodeInfo: {
      architecture: draft.arch ?? 'amd64',
      containerRuntimeVersion: draft.runtime,
      kernelVersion: draft.kernel,
      kubeletVersion: draft.kubelet,
      osImage: draft.image,
      ...(draft.inUserNamespace === undefined ? {} : { runningInUserNamespace: draft.inUserNamespace })
    }
  }
})

export const ubuntu = (version: string, point = version): Tree =>
  distro({
    PRETTY_NAME: `Ubuntu ${point} LTS`,
    NAME: '"Ubuntu"',
    VERSION_ID: `"${version}"`,
    ID: 'ubuntu',
    ID_LIKE: 'debian',
    HOME_URL: 'https://www.ubuntu.com/'
  })
