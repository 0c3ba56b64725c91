import {
  apparmor,
  armCpu,
  distro,
  kvm,
  linux,
  machine,
  modules,
  mounts,
  NETFILTER,
  NVIDIA_3D,
  nvidia,
  pci,
  podBelow,
  sysctl,
  virtio,
  WORKING
} from '../parts.ts'
import { device, directory, link, locked, unreadable } from '../played.ts'
import { debian } from './plain.ts'

/** Hardened, broken and half-seen machines. */

const REL = '6.1.0-56-amd64'
const debian12 = (parts: Omit<Parameters<typeof modules>[1], 'netfilter'> & { netfilter?: readonly string[] }) => [
  linux(REL),
  debian('12', 'bookworm'),
  modules(REL, { netfilter: NETFILTER.debian, ...parts }),
  kvm,
  virtio,
  apparmor(),
  sysctl({ 'kernel.unprivileged_userns_clone': 1 })
]
const usual = debian12({ loaded: WORKING, loadable: ['fuse'] })
const NOTHING = { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' } as const
const ONLY_PODMAN = { ...NOTHING, podman: 'yes' } as const

/** Debian 12 without one module of netfilter; its set is complete otherwise. */
const missing = (module: string, cvm: 'yes' | 'no') =>
  machine({
    about: `A kernel package without ${module}: ${cvm === 'no' ? 'dockerd does not start' : 'a container that publishes a port does not start'}`,
    source: 'netfilter-measured.md 1, 2',
    parts: debian12({
      loaded: WORKING,
      loadable: ['fuse'],
      netfilter: NETFILTER.debian.filter(name => name !== module)
    }),
    expected: { ...ONLY_PODMAN, cvm }
  })

export const odd = {
  'hardened-sysctls': machine({
    about: 'A hardened node: no user namespaces, no ptrace, no more modules',
    source: 'sysbox-measured.md 1 (4), 3',
    parts: [
      ...debian12({ loaded: ['overlay', 'nf_conntrack', 'nf_tables'], loadable: ['fuse', 'bridge', 'veth'] }),
      sysctl({
        'kernel.unprivileged_userns_clone': 0,
        'user.max_user_namespaces': 0,
        'kernel.yama.ptrace_scope': 3,
        'kernel.modules_disabled': 1
      })
    ],
    expected: NOTHING
  }),
  'hardened-ptrace': machine({
    about: 'Only kernel.yama.ptrace_scope=3: no CVM, and Podman works',
    source: 'sysbox-measured.md 1 (4)',
    parts: [...usual, sysctl({ 'kernel.yama.ptrace_scope': 3 })],
    expected: ONLY_PODMAN
  }),
  'hardened-userns': machine({
    about: 'Only kernel.unprivileged_userns_clone=0',
    source: 'sysbox-measured.md 3; podman-measured.md 1 (3)',
    parts: [...usual, sysctl({ 'kernel.unprivileged_userns_clone': 0 })],
    expected: NOTHING
  }),
  'modules-disabled': machine({
    about: 'kernel.modules_disabled=1 with everything but veth loaded',
    source: 'sysbox-measured.md 6 (modules_disabled 1 and one of them not loaded)',
    parts: [
      ...debian12({ loaded: [...WORKING.filter(name => name !== 'veth'), 'fuse'], loadable: ['veth'] }),
      sysctl({ 'kernel.modules_disabled': 1 })
    ],
    expected: ONLY_PODMAN
  }),
  'modules-blacklist': machine({
    about: 'module_blacklist=fuse on the kernel command line',
    source: 'shiftfs-measured.md 5 (module_blacklist: kernel command line only)',
    parts: [...usual, { '/proc/cmdline': `BOOT_IMAGE=/boot/vmlinuz-${REL} ro module_blacklist=usb-storage,fuse quiet\n` }],
    expected: NOTHING
  }),
  'modules-install-false': machine({
    about: 'A hardening guide has put "install bridge /bin/false" into modprobe.d',
    source: 'shiftfs-measured.md 5 (install NAME /bin/false)',
    parts: [
      ...debian12({ loaded: WORKING.filter(name => name !== 'bridge'), loadable: ['fuse', 'bridge'] }),
      {
        '/etc/modprobe.d/hardening.conf': 'install cramfs /bin/false\nblacklist cramfs\ninstall bridge /bin/false\n',
        '/usr/lib/modprobe.d/systemd.conf': '# part of systemd\noptions bonding max_bonds=0\n'
      }
    ],
    expected: ONLY_PODMAN
  }),
  'veth-missing': machine({
    about: 'A small kernel package without veth, and neither nf_tables nor ip_tables',
    source: 'sysbox-measured.md 5',
    parts: debian12({ loaded: ['bridge', 'nf_conntrack', 'overlay'], loadable: ['fuse'], netfilter: NETFILTER.none }),
    expected: ONLY_PODMAN
  }),
  'nft-compat-missing': missing('nft_compat', 'no'),
  'nft-chain-nat-missing': missing('nft_chain_nat', 'no'),
  'xt-addrtype-missing': missing('xt_addrtype', 'no'),
  'xt-conntrack-missing': missing('xt_conntrack', 'no'),
  'xt-masquerade-missing': missing('xt_MASQUERADE', 'no'),
  'xt-nat-missing': missing('xt_nat', 'yes'),
  'xt-tcpudp-missing': missing('xt_tcpudp', 'yes'),
  'nf-tables-missing': machine({
    about: 'Only iptables-legacy: a kernel without nf_tables, as one that was configured by hand years ago',
    source: 'netfilter-measured.md 1 (nf_tables deleted)',
    parts: debian12({
      loaded: WORKING.filter(name => name !== 'nf_tables'),
      loadable: ['fuse'],
      netfilter: NETFILTER.debian.filter(name => !name.startsWith('nft_'))
    }),
    expected: ONLY_PODMAN
  }),
  'blacklist-by-alias': machine({
    about: 'A hardening guide has put bare blacklists of veth and nft_compat into modprobe.d, which arrive by alias only',
    source: 'netfilter-measured.md 1, 2 (does a blacklist stop it?)',
    parts: [
      ...debian12({ loaded: WORKING.filter(name => name !== 'veth'), loadable: ['fuse', 'veth'] }),
      { '/etc/modprobe.d/hardening.conf': 'blacklist veth\nblacklist nft-compat\n' }
    ],
    expected: ONLY_PODMAN
  }),
  'blacklist-by-name': machine({
    about: 'Bare blacklists of ip_tables and nf_tables, which are asked for by name or come as dependencies: they stop nothing',
    source: 'netfilter-measured.md 1 (nf_tables blacklisted), 2',
    parts: [
      ...debian12({
        loaded: WORKING.filter(name => !name.includes('tables')),
        loadable: ['fuse', 'nf_tables', 'ip_tables']
      }),
      { '/etc/modprobe.d/hardening.conf': 'blacklist ip_tables\nblacklist nf_tables\n' }
    ],
    expected: { ...ONLY_PODMAN, cvm: 'yes' }
  }),
  'install-on-dependency': machine({
    about: 'An install line for x_tables, on which every match of iptables depends, in a directory of rank three',
    source: 'netfilter-measured.md 6 (install on a dependency stops the module too)',
    parts: [
      ...debian12({ loaded: WORKING.filter(name => name !== 'ip_tables'), loadable: ['fuse', 'ip_tables'] }),
      { '/usr/local/lib/modprobe.d/hardening.conf': 'install x-tables exit 1\n' }
    ],
    expected: ONLY_PODMAN
  }),
  'modprobe-masked': machine({
    about: 'The install line of a package for veth, masked by an empty file of its name and by a link to /dev/null',
    source: 'netfilter-measured.md 6 (masking by file name)',
    parts: [
      ...debian12({ loaded: WORKING.filter(name => name !== 'veth'), loadable: ['fuse', 'veth'] }),
      {
        '/usr/lib/modprobe.d/a.conf': 'install veth /bin/false\n',
        '/run/modprobe.d/a.conf': '',
        '/usr/lib/modprobe.d/b.conf': 'install bridge /bin/false\ninstall veth /bin/false\n',
        '/etc/modprobe.d/b.conf': link('/dev/null')
      }
    ],
    expected: { ...ONLY_PODMAN, cvm: 'yes' }
  }),
  'builtin-missing': machine({
    about: 'A stripped image without modules.builtin: what is nowhere else may be built in',
    source: 'rules.md Logic (a module is usable)',
    parts: [
      ...debian12({ loaded: WORKING.filter(name => name !== 'veth'), loadable: ['fuse'] }),
      { [`/usr/lib/modules/${REL}/modules.builtin`]: undefined }
    ],
    expected: { ...ONLY_PODMAN, cvm: 'unknown', 'cached-cvm': 'unknown' }
  }),
  'k3s-alpine': machine({
    about: 'k3s on Alpine: the FUSE driver can be loaded, and nothing makes its device before',
    source: 'netfilter-measured.md 5 (nothing loaded, no device)',
    parts: [
      ...usual,
      distro({ NAME: '"Alpine Linux"', ID: 'alpine', VERSION_ID: '3.22.1', PRETTY_NAME: '"Alpine Linux v3.22"' }),
      { '/dev/fuse': undefined }
    ],
    expected: NOTHING
  }),
  'fuse-removed': machine({
    about: 'The FUSE driver is registered, and somebody has removed its device',
    source: 'netfilter-measured.md 5 (the device removed by hand, driver loaded)',
    parts: [...debian12({ loaded: [...WORKING, 'fuse'] }), { '/dev/fuse': undefined }],
    expected: NOTHING
  }),
  'k0s-on-zfs': machine({
    about: 'k0s whose kubelet lies on ZFS; the chart of a CSI driver has made /var/lib/kubelet, on ext4',
    source: 'rules.md cvm 10',
    parts: [
      ...usual,
      mounts(['/', 'ext4'], ['/var/lib/k0s', 'zfs'], podBelow('/var/lib/k0s/kubelet')),
      { '/var/lib/kubelet/plugins/example.csi': directory, '/var/lib/k0s/kubelet/pods': directory }
    ],
    expected: { ...ONLY_PODMAN, cvm: 'unknown' }
  }),
  'k0s-on-tmpfs': machine({
    about: 'k0s whose kubelet lies in memory; the chart of a CSI driver has made /var/lib/kubelet, on ext4',
    source: 'rules.md cvm 10',
    parts: [
      ...usual,
      mounts(['/', 'ext4'], ['/var/lib/k0s', 'tmpfs'], podBelow('/var/lib/k0s/kubelet')),
      { '/var/lib/k0s/kubelet/pods': directory }
    ],
    expected: ONLY_PODMAN
  }),
  'root-dir-on-nfs': machine({
    about: 'A kubelet with --root-dir=/data/kubelet, which is on NFS',
    source: 'rules.md cvm 10',
    parts: [...usual, mounts(['/', 'ext4'], ['/data', 'nfs4'], podBelow('/data/kubelet')), { '/data/kubelet/pods': directory }],
    expected: ONLY_PODMAN
  }),
  'root-dir-on-disk': machine({
    about: 'A root file system of overlay, and a kubelet with --root-dir=/data/kubelet, which is on ext4',
    source: 'rules.md cvm 10 (the reverse)',
    parts: [
      ...usual,
      mounts(['/', 'overlay'], ['/data', 'ext4'], podBelow('/data/kubelet')),
      { '/data/kubelet/pods': directory }
    ],
    expected: { ...ONLY_PODMAN, cvm: 'yes' }
  }),
  'no-modules': machine({
    about: 'A micro virtual machine whose kernel has no loadable modules, with everything built in',
    source: 'sysbox-measured.md 1 (2)',
    parts: [
      ...usual,
      linux('6.18.44-fc', 'nomodule panic=1'),
      modules('6.18.44-fc', { netfilter: NETFILTER.debian, loaded: [], builtin: [...WORKING, 'fuse'] }),
      {
        '/proc/modules': undefined,
        '/proc/sys/kernel/modules_disabled': undefined,
        '/usr/lib/modules': undefined,
        '/sys/class/dmi': undefined
      }
    ],
    expected: ONLY_PODMAN
  }),
  'fuse-0600': machine({
    about: '/dev/fuse with mode 0600: pods get it with that mode',
    source: 'podman-measured.md 1 (5c)',
    parts: [...usual, { '/dev/fuse': device('10:229', 0o600) }],
    expected: { ...ONLY_PODMAN, cvm: 'yes', podman: 'no' }
  }),
  'few-namespaces': machine({
    about: 'user.max_mnt_namespaces=3, one too few for a session of Podman',
    source: 'podman-measured.md 1 (2e)',
    parts: [...usual, sysctl({ 'user.max_mnt_namespaces': 3 })],
    expected: { ...ONLY_PODMAN, cvm: 'yes', podman: 'no' }
  }),
  'kubelet-on-nfs': machine({
    about: "The kubelet's root on NFS",
    source: 'rules.md cvm 10; sysbox-and-shiftfs.md 6.2',
    parts: [...usual, mounts(['/', 'ext4'], ['/var/lib/kubelet', 'nfs4'])],
    expected: ONLY_PODMAN
  }),
  'kubelet-on-overlay': machine({
    about: 'A node that is itself a container (kind), with the kubelet on its overlay',
    source: 'rules.md cvm 10; sysbox-measured.md 3',
    parts: [...usual, mounts(['/', 'overlay'])],
    expected: ONLY_PODMAN
  }),
  'kubelet-on-tmpfs': machine({
    about: 'A node that boots from the network and keeps everything in memory',
    source: 'rules.md cvm 10; sysbox-measured.md 3',
    parts: [...usual, mounts(['/', 'tmpfs'])],
    expected: ONLY_PODMAN
  }),
  'kubelet-on-zfs': machine({
    about: "The kubelet's root on ZFS: nobody knows until a mount was tried",
    source: 'rules.md cvm 10; sysbox-and-shiftfs.md 2.1',
    parts: [...usual, mounts(['/', 'zfs'])],
    expected: { ...ONLY_PODMAN, cvm: 'unknown' }
  }),
  'kubelet-on-ext2': machine({
    about: "The kubelet's root on ext2, which statfs takes for ext4",
    source: 'sysbox-measured.md 1 (6)',
    parts: [...usual, mounts(['/', 'ext4'], ['/var/lib/kubelet', 'ext2', 'rw,noexec,relatime'])],
    expected: { ...ONLY_PODMAN, cvm: 'unknown' }
  }),
  unreadable: machine({
    about: 'A node that shows little: a dying disk, and an agent without the rights that it needs',
    source: 'rules.md Logic; bottlerocket-podman-cloud.md G1',
    parts: [
      ...debian12({ loaded: [...WORKING.filter(name => name !== 'veth'), 'fuse'], loadable: ['veth'] }),
      pci({ at: '0000:17:00.0', ...NVIDIA_3D, driver: 'nvidia' }),
      nvidia('535.129.03', ['0000:17:00.0']),
      {
        [`/usr/lib/modules/${REL}/modules.dep`]: unreadable('EIO'),
        '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': unreadable('EPERM'),
        '/proc/1/mountinfo': unreadable('EACCES'),
        '/proc/driver/nvidia': locked('EACCES'),
        '/sys/kernel/security/apparmor/profiles': unreadable('EACCES'),
        '/etc/apparmor.d/fusermount3': unreadable('EIO'),
        '/usr/bin': locked('EIO'),
        '/opt/bin': locked('EIO'),
        '/usr/lib/os-release': unreadable('EIO')
      }
    ],
    expected: { cvm: 'unknown', 'cached-cvm': 'unknown', gpu: 'unknown', 'gpu-cvm': 'no', podman: 'unknown', sysbox: 'unknown' }
  }),
  'profiles-unreadable': machine({
    about: 'The list of AppArmor profiles may not be read, and the node has no profile for fusermount3 on its disk',
    source: 'rules.md cvm 8',
    parts: [...usual, { '/sys/kernel/security/apparmor/profiles': unreadable('EACCES') }],
    expected: { ...ONLY_PODMAN, cvm: 'yes' }
  }),
  'user-namespace': machine({
    about: 'The agent in a user namespace of its own (hostUsers: false), where the limits always read 2147483647',
    source: 'podman-measured.md 2',
    parts: [
      ...usual,
      sysctl({ 'user.max_user_namespaces': 2_147_483_647, 'user.max_mnt_namespaces': 2_147_483_647 }),
      { '/proc/self/uid_map': '         0     100000      65536\n' }
    ],
    expected: { ...NOTHING, cvm: 'unknown', podman: 'unknown' }
  }),
  'no-sys': machine({
    about: 'A host root that was mounted without its /sys',
    source: 'rules.md Logic (missing is knowledge only where it could be seen)',
    parts: [...usual, { '/sys': undefined }],
    expected: { ...NOTHING, cvm: 'unknown', 'cached-cvm': 'unknown', podman: 'unknown' }
  }),
  'no-proc': machine({
    about: 'A host root that was mounted without its /proc',
    source: 'rules.md Logic (missing is knowledge only where it could be seen)',
    parts: [...usual, { '/proc': undefined }],
    expected: { ...NOTHING, cvm: 'unknown', 'cached-cvm': 'unknown', podman: 'unknown' }
  }),
  'empty-root': machine({
    about: 'A host root that is an empty directory',
    source: 'rules.md Logic (missing is knowledge only where it could be seen)',
    parts: [{}],
    expected: {
      ...NOTHING,
      cvm: 'unknown',
      'cached-cvm': 'unknown',
      gpu: 'unknown',
      'gpu-cvm': 'unknown',
      podman: 'unknown',
      sysbox: 'unknown'
    }
  }),
  'arm-board': machine({
    about: 'An arm64 board without DMI: nothing tells bare metal from virtual',
    source: 'bottlerocket-podman-cloud.md E (arm64 without DMI)',
    arch: 'arm64',
    parts: [...usual, armCpu, { '/sys/class/dmi': undefined }],
    expected: { ...ONLY_PODMAN, cvm: 'yes' }
  }),
  riscv: machine({
    about: 'A riscv64 board, for which there is no Sysbox',
    source: 'sysbox-and-shiftfs.md 1.1',
    arch: 'riscv64',
    parts: [...usual, { '/proc/cpuinfo': 'processor\t: 0\nhart\t\t: 0\nisa\t\t: rv64imafdc\n\n', '/sys/class/dmi': undefined }],
    expected: ONLY_PODMAN
  })
} as const
