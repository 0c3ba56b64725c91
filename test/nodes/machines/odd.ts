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
    source: 'measured on Debian kernel 6.1.192 with moby 29 and iptables 1.8.7',
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
    source: 'measured with Sysbox 0.7.0 on Debian kernels 5.10, 6.1 and 6.12; linux security/yama/yama_lsm.c',
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
    source: 'measured with Sysbox 0.7.0 on Debian kernels 5.10, 6.1 and 6.12 (kernel.yama.ptrace_scope=3: no container starts)',
    parts: [...usual, sysctl({ 'kernel.yama.ptrace_scope': 3 })],
    expected: ONLY_PODMAN
  }),
  'hardened-userns': machine({
    about: 'Only kernel.unprivileged_userns_clone=0',
    source:
      'measured with Sysbox 0.7.0 on Debian kernels 5.10, 6.1 and 6.12; measured with Podman 4.3 and 5.4 in an unprivileged pod (kernel.unprivileged_userns_clone=0)',
    parts: [...usual, sysctl({ 'kernel.unprivileged_userns_clone': 0 })],
    expected: NOTHING
  }),
  'modules-disabled': machine({
    about: 'kernel.modules_disabled=1 with everything but veth loaded',
    source: 'linux kernel/module/main.c (modules_disabled)',
    parts: [
      ...debian12({ loaded: [...WORKING.filter(name => name !== 'veth'), 'fuse'], loadable: ['veth'] }),
      sysctl({ 'kernel.modules_disabled': 1 })
    ],
    expected: ONLY_PODMAN
  }),
  'modules-blacklist': machine({
    about: 'module_blacklist=fuse on the kernel command line',
    source:
      'linux kernel/module/main.c (module_blacklist); measured on Debian kernel 6.1.192: the command line alone tells of it',
    parts: [...usual, { '/proc/cmdline': `BOOT_IMAGE=/boot/vmlinuz-${REL} ro module_blacklist=usb-storage,fuse quiet\n` }],
    expected: NOTHING
  }),
  'modules-install-false': machine({
    about: 'A hardening guide has put "install bridge /bin/false" into modprobe.d',
    source: 'modprobe.d(5); measured on Debian kernel 6.1.192 with kmod 34',
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
    source: 'measured with Sysbox 0.7.0 in an outer container on Debian kernels 5.10 and 6.1',
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
    source: 'measured on Debian kernel 6.1.192 with moby 29 and iptables 1.8.7, nf_tables deleted',
    parts: debian12({
      loaded: WORKING.filter(name => name !== 'nf_tables'),
      loadable: ['fuse'],
      netfilter: NETFILTER.debian.filter(name => !name.startsWith('nft_'))
    }),
    expected: ONLY_PODMAN
  }),
  'blacklist-by-alias': machine({
    about: 'A hardening guide has put bare blacklists of veth and nft_compat into modprobe.d, which arrive by alias only',
    source: 'measured on Debian kernel 6.1.192 with moby 29 and iptables 1.8.7, modules blacklisted one at a time',
    parts: [
      ...debian12({ loaded: WORKING.filter(name => name !== 'veth'), loadable: ['fuse', 'veth'] }),
      { '/etc/modprobe.d/hardening.conf': 'blacklist veth\nblacklist nft-compat\n' }
    ],
    expected: ONLY_PODMAN
  }),
  'blacklist-by-name': machine({
    about: 'Bare blacklists of ip_tables and nf_tables, which are asked for by name or come as dependencies: they stop nothing',
    source: 'measured on Debian kernel 6.1.192 with moby 29 and iptables 1.8.7, nf_tables blacklisted',
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
    source: 'measured with kmod 34.2 on Debian kernel 6.1.192: install on a dependency stops the module too',
    parts: [
      ...debian12({ loaded: WORKING.filter(name => name !== 'ip_tables'), loadable: ['fuse', 'ip_tables'] }),
      { '/usr/local/lib/modprobe.d/hardening.conf': 'install x-tables exit 1\n' }
    ],
    expected: ONLY_PODMAN
  }),
  'modprobe-masked': machine({
    about: 'The install line of a package for veth, masked by an empty file of its name and by a link to /dev/null',
    source: 'modprobe.d(5); measured with kmod 34.2: a file masks those of its name in later directories',
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
    source: 'linux Documentation/kbuild/kbuild.rst (modules.builtin)',
    parts: [
      ...debian12({ loaded: WORKING.filter(name => name !== 'veth'), loadable: ['fuse'] }),
      { [`/usr/lib/modules/${REL}/modules.builtin`]: undefined }
    ],
    expected: { ...ONLY_PODMAN, cvm: 'unknown', 'cached-cvm': 'unknown' }
  }),
  'k3s-alpine': machine({
    about: 'k3s on Alpine: the FUSE driver can be loaded, and nothing makes its device before',
    source: 'measured on Debian kernel 6.1.192: opening /dev/fuse loads the driver, and without udev nothing makes the device',
    parts: [
      ...usual,
      distro({ NAME: '"Alpine Linux"', ID: 'alpine', VERSION_ID: '3.22.1', PRETTY_NAME: '"Alpine Linux v3.22"' }),
      { '/dev/fuse': undefined }
    ],
    expected: NOTHING
  }),
  'fuse-removed': machine({
    about: 'The FUSE driver is registered, and somebody has removed its device',
    source: 'measured on Debian kernel 6.1.192: devtmpfs does not make /dev/fuse a second time',
    parts: [...debian12({ loaded: [...WORKING, 'fuse'] }), { '/dev/fuse': undefined }],
    expected: NOTHING
  }),
  'k0s-on-zfs': machine({
    about: 'k0s whose kubelet lies on ZFS; the chart of a CSI driver has made /var/lib/kubelet, on ext4',
    source: 'k0sproject/k0s and kubelet --root-dir: the root of the kubelet lies elsewhere than /var/lib/kubelet',
    parts: [
      ...usual,
      mounts(['/', 'ext4'], ['/var/lib/k0s', 'zfs'], podBelow('/var/lib/k0s/kubelet')),
      { '/var/lib/kubelet/plugins/example.csi': directory, '/var/lib/k0s/kubelet/pods': directory }
    ],
    expected: { ...ONLY_PODMAN, cvm: 'unknown' }
  }),
  'k0s-on-tmpfs': machine({
    about: 'k0s whose kubelet lies in memory; the chart of a CSI driver has made /var/lib/kubelet, on ext4',
    source: 'k0sproject/k0s and kubelet --root-dir: the root of the kubelet lies elsewhere than /var/lib/kubelet',
    parts: [
      ...usual,
      mounts(['/', 'ext4'], ['/var/lib/k0s', 'tmpfs'], podBelow('/var/lib/k0s/kubelet')),
      { '/var/lib/k0s/kubelet/pods': directory }
    ],
    expected: ONLY_PODMAN
  }),
  'root-dir-on-nfs': machine({
    about: 'A kubelet with --root-dir=/data/kubelet, which is on NFS',
    source: 'k0sproject/k0s and kubelet --root-dir: the root of the kubelet lies elsewhere than /var/lib/kubelet',
    parts: [...usual, mounts(['/', 'ext4'], ['/data', 'nfs4'], podBelow('/data/kubelet')), { '/data/kubelet/pods': directory }],
    expected: ONLY_PODMAN
  }),
  'root-dir-on-disk': machine({
    about: 'A root file system of overlay, and a kubelet with --root-dir=/data/kubelet, which is on ext4',
    source: 'kubelet --root-dir: the root of the kubelet lies elsewhere than /var/lib/kubelet',
    parts: [
      ...usual,
      mounts(['/', 'overlay'], ['/data', 'ext4'], podBelow('/data/kubelet')),
      { '/data/kubelet/pods': directory }
    ],
    expected: { ...ONLY_PODMAN, cvm: 'yes' }
  }),
  'no-modules': machine({
    about: 'A micro virtual machine whose kernel has no loadable modules, with everything built in',
    source: 'measured with Sysbox 0.7.0 on a kernel 6.18 without modules: it refuses without /proc/modules',
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
    source: 'measured with Podman 4.3 and 5.4 in an unprivileged pod (the runtime copies the mode of /dev/fuse)',
    parts: [...usual, { '/dev/fuse': device('10:229', 0o600) }],
    expected: { ...ONLY_PODMAN, cvm: 'yes', podman: 'no' }
  }),
  'few-namespaces': machine({
    about: 'user.max_mnt_namespaces=3, one too few for a session of Podman',
    source: 'measured with Podman 4.3 and 5.4 in an unprivileged pod (a session needs four mount namespaces)',
    parts: [...usual, sysctl({ 'user.max_mnt_namespaces': 3 })],
    expected: { ...ONLY_PODMAN, cvm: 'yes', podman: 'no' }
  }),
  'kubelet-on-nfs': machine({
    about: "The kubelet's root on NFS",
    source: "Coder's requirements for CVMs (NFS is not supported)",
    parts: [...usual, mounts(['/', 'ext4'], ['/var/lib/kubelet', 'nfs4'])],
    expected: ONLY_PODMAN
  }),
  'kubelet-on-overlay': machine({
    about: 'A node that is itself a container (kind), with the kubelet on its overlay',
    source: 'measured with Sysbox 0.7.0 on Debian kernels 5.10, 6.1 and 6.12 (overlay and tmpfs as data disk)',
    parts: [...usual, mounts(['/', 'overlay'])],
    expected: ONLY_PODMAN
  }),
  'kubelet-on-tmpfs': machine({
    about: 'A node that boots from the network and keeps everything in memory',
    source: 'measured with Sysbox 0.7.0 on Debian kernels 5.10, 6.1 and 6.12 (overlay and tmpfs as data disk)',
    parts: [...usual, mounts(['/', 'tmpfs'])],
    expected: ONLY_PODMAN
  }),
  'kubelet-on-zfs': machine({
    about: "The kubelet's root on ZFS: nobody knows until a mount was tried",
    source: 'nestybox/sysbox-mgr mgr.go; linux fs/namespace.c can_idmap_mount and FS_ALLOW_IDMAP, 5.12',
    parts: [...usual, mounts(['/', 'zfs'])],
    expected: { ...ONLY_PODMAN, cvm: 'unknown' }
  }),
  'kubelet-on-ext2': machine({
    about: "The kubelet's root on ext2, which statfs takes for ext4",
    source: 'measured with Sysbox 0.7.0 on Debian kernel 6.1: ext2 has the magic of ext4 and no ID-mapped mounts',
    parts: [...usual, mounts(['/', 'ext4'], ['/var/lib/kubelet', 'ext2', 'rw,noexec,relatime'])],
    expected: { ...ONLY_PODMAN, cvm: 'unknown' }
  }),
  unreadable: machine({
    about: 'A node that shows little: a dying disk, and an agent without the rights that it needs',
    source: 'open(2) and read(2): EIO, EACCES and EPERM are no answers',
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
    source: 'nestybox/sysbox#1005; linux security/apparmor/apparmorfs.c (the list of profiles is for root)',
    parts: [...usual, { '/sys/kernel/security/apparmor/profiles': unreadable('EACCES') }],
    expected: { ...ONLY_PODMAN, cvm: 'yes' }
  }),
  'user-namespace': machine({
    about: 'The agent in a user namespace of its own (hostUsers: false), where the limits always read 2147483647',
    source: 'user_namespaces(7); measured on kernel 6.18: the limits inside read 2147483647',
    parts: [
      ...usual,
      sysctl({ 'user.max_user_namespaces': 2_147_483_647, 'user.max_mnt_namespaces': 2_147_483_647 }),
      { '/proc/self/uid_map': '         0     100000      65536\n' }
    ],
    expected: { ...NOTHING, cvm: 'unknown', podman: 'unknown' }
  }),
  'no-sys': machine({
    about: 'A host root that was mounted without its /sys',
    source: 'a mistake in a pod that mounts the host: what is not mounted tells nothing',
    parts: [...usual, { '/sys': undefined }],
    expected: { ...NOTHING, cvm: 'unknown', 'cached-cvm': 'unknown', podman: 'unknown' }
  }),
  'no-proc': machine({
    about: 'A host root that was mounted without its /proc',
    source: 'a mistake in a pod that mounts the host: what is not mounted tells nothing',
    parts: [...usual, { '/proc': undefined }],
    expected: { ...NOTHING, cvm: 'unknown', 'cached-cvm': 'unknown', podman: 'unknown' }
  }),
  'empty-root': machine({
    about: 'A host root that is an empty directory',
    source: 'a mistake in a pod that mounts the host: what is not mounted tells nothing',
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
    source: 'systemd/systemd src/basic/virt.c (arm64 without DMI)',
    arch: 'arm64',
    parts: [...usual, armCpu, { '/sys/class/dmi': undefined }],
    expected: { ...ONLY_PODMAN, cvm: 'yes' }
  }),
  riscv: machine({
    about: 'A riscv64 board, for which there is no Sysbox',
    source: 'nestybox/sysbox docs/distro-compat.md v0.7.0',
    arch: 'riscv64',
    parts: [...usual, { '/proc/cpuinfo': 'processor\t: 0\nhart\t\t: 0\nisa\t\t: rv64imafdc\n\n', '/sys/class/dmi': undefined }],
    expected: ONLY_PODMAN
  })
} as const
