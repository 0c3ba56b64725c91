import {
  apparmor,
  armCpu,
  board,
  cpu,
  dell,
  distro,
  dmi,
  headers,
  IDMAPPED,
  kubeNode,
  kvm,
  linux,
  lockdown,
  machine,
  modules,
  mounts,
  NETFILTER,
  RENAMEDATA,
  SWAPS,
  selinux,
  sysctl,
  ubuntu,
  uefi,
  virtio,
  WORKING
} from '../parts.ts'

/** Distributions as people install them, most of them looked at without a cluster. */

/** As Ubuntu ships it, shortened. */
const FUSERMOUNT3 =
  'abi <abi/4.0>,\ninclude <tunables/global>\n\nprofile fusermount3 /usr/bin/fusermount3 {\n  capability sys_admin,\n  mount fstype=@{fuse_types} options=(nosuid,nodev,rw) -> @{HOME}/**/,\n  include if exists <local/fusermount3>\n}\n'

export const debian = (version: string, name: string) =>
  distro({
    PRETTY_NAME: `Debian GNU/Linux ${version} (${name})`,
    NAME: 'Debian GNU/Linux',
    VERSION_ID: `"${version}"`,
    VERSION: `${version} (${name})`,
    VERSION_CODENAME: name,
    ID: 'debian'
  })

export const el = (id: string, name: string, version: string, like: string) =>
  distro({
    NAME: name,
    VERSION: version,
    ID: `"${id}"`,
    ID_LIKE: `"${like}"`,
    VERSION_ID: `"${version}"`,
    PRETTY_NAME: `${name} ${version}`
  })

const REL11 = '5.10.0-46-cloud-amd64'
const REL12 = '6.1.0-56-cloud-amd64'

const debian11 = [
  linux(REL11),
  debian('11', 'bullseye'),
  modules(REL11, { netfilter: NETFILTER.debian, loaded: WORKING, loadable: ['fuse'] }),
  kvm,
  virtio,
  apparmor(),
  sysctl({ 'kernel.unprivileged_userns_clone': 1 })
]
const debian12 = [
  linux(REL12),
  debian('12', 'bookworm'),
  modules(REL12, { netfilter: NETFILTER.debian, loaded: WORKING, loadable: ['fuse'] }),
  kvm,
  virtio,
  apparmor(),
  sysctl({ 'kernel.unprivileged_userns_clone': 1 })
]
const headers12 = headers(
  REL12,
  `/usr/src/linux-headers-${REL12}`,
  [IDMAPPED, RENAMEDATA],
  '/usr/src/linux-headers-6.1.0-56-common'
)

const ubuntu22 = (release: string) => [
  linux(release),
  ubuntu('22.04', '22.04.4'),
  modules(release, { netfilter: NETFILTER.ubuntu, loaded: WORKING, loadable: ['shiftfs'], builtin: ['fuse'] }),
  kvm,
  virtio,
  apparmor(),
  sysctl({ 'kernel.unprivileged_userns_clone': 1 })
]

const rocky9 = '5.14.0-427.13.1.el9_4.x86_64'
const elSize = { cpu: 'AMD EPYC 7543', cores: 8, memory: 32 }

export const plain = {
  'debian-11-headers': machine({
    about: 'Debian 11 of today with its headers: its kernel has struct renamedata, so shiftfs cannot be built',
    source: 'measured on Debian kernels 5.10.218, 5.10.262 and 6.1.192 with toby63/shiftfs-dkms (5.10.262 has struct renamedata)',
    parts: [
      ...debian11,
      headers(REL11, `/usr/src/linux-headers-${REL11}`, [RENAMEDATA], '/usr/src/linux-headers-5.10.0-46-common')
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-11-old-headers': machine({
    about: 'Debian 11 of 2024 (5.10.218) with its headers: shiftfs could be built, and would be dangerous',
    source: 'measured on Debian kernels 5.10.218, 5.10.262 and 6.1.192 with toby63/shiftfs-dkms',
    parts: [
      linux('5.10.0-30-cloud-amd64'),
      debian('11', 'bullseye'),
      modules('5.10.0-30-cloud-amd64', { netfilter: NETFILTER.debian, loaded: WORKING, loadable: ['fuse'] }),
      kvm,
      virtio,
      apparmor(),
      headers(
        '5.10.0-30-cloud-amd64',
        '/usr/src/linux-headers-5.10.0-30-cloud-amd64',
        [],
        '/usr/src/linux-headers-5.10.0-30-common'
      )
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-11-no-headers': machine({
    about: 'Debian 11 without headers, and with little disk',
    source: 'packages linux-headers of Debian 11; measured with Sysbox 0.7.0 on Debian kernels 5.10, 6.1 and 6.12',
    space: [21, 30],
    parts: debian11,
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-12-headers': machine({
    about: 'Debian 12 with complete headers: shiftfs could be built, and would be dangerous',
    source:
      'measured on Debian kernels 5.10.218, 5.10.262 and 6.1.192 with toby63/shiftfs-dkms (overlayfs on shiftfs crashes the node)',
    parts: [...debian12, headers12, uefi('off')],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-12-no-headers': machine({
    about: 'Debian 12 without headers; user namespaces are few, and the kubelet gives every pod a seccomp profile',
    source: 'packages linux-headers of Debian 12; measured with Podman 4.3 and 5.4 in an unprivileged pod',
    parts: [
      ...debian12,
      sysctl({ 'user.max_user_namespaces': 128 }),
      {
        '/var/lib/kubelet/config.yaml':
          'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nseccompDefault: true\n'
      }
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-12-shiftfs': machine({
    about: 'Debian 12 with a self-built shiftfs loaded: an ordinary user in a container could crash the node',
    source:
      'measured on Debian kernels 5.10.218, 5.10.262 and 6.1.192 with toby63/shiftfs-dkms (loaded it shows OE in /proc/modules)',
    parts: [
      ...debian12,
      headers12,
      modules(REL12, {
        netfilter: NETFILTER.debian,
        loaded: [...WORKING, 'shiftfs'],
        loadable: ['fuse'],
        foreign: { shiftfs: 'updates/shiftfs.ko' }
      }),
      { '/proc/swaps': `${SWAPS}/dev/sda3                               partition\t8388604\t\t0\t\t-2\n` }
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-12-shiftfs-on-disk': machine({
    about: 'Debian 12 with a self-built shiftfs in updates/, not loaded',
    source: 'measured on Debian kernels 5.10.218, 5.10.262 and 6.1.192 with toby63/shiftfs-dkms (in updates/)',
    parts: [
      ...debian12,
      modules(REL12, {
        netfilter: NETFILTER.debian,
        loaded: WORKING,
        loadable: ['fuse', 'shiftfs'],
        foreign: { shiftfs: 'updates/shiftfs.ko' }
      })
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-12-secure-boot': machine({
    about: 'Debian 12 with Secure Boot on and complete headers',
    source: 'measured with OVMF, shim and GRUB on Debian kernel 6.1.192: an unsigned module is refused under Secure Boot',
    parts: [...debian12, headers12, uefi('on'), lockdown('integrity'), { '/sys/module/module/parameters/sig_enforce': 'Y\n' }],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-12-efivars-empty': machine({
    about: 'Debian 12 with complete headers and efivarfs not mounted: Secure Boot is unknown, so nothing is built',
    source: 'measured with OVMF, shim and GRUB on Debian kernel 6.1.192: an unsigned module is refused under Secure Boot',
    parts: [...debian12, headers12, uefi('unmounted')],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'debian-12-detect-virt': machine({
    about: 'Debian 12 looked at from itself, its hypervisor hidden from every file: only systemd-detect-virt tells',
    source: 'systemd/systemd src/basic/virt.c',
    size: { cpu: 'AMD EPYC', cores: 2, memory: 4 },
    parts: [...debian12, cpu('AMD EPYC-Rome Processor', false), dmi('Vultr', 'VC2', { product_version: 'pc-q35-8.2' })],
    programs: { '/usr/bin/systemd-detect-virt --vm': 'kvm' },
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'ubuntu-22.04-shiftfs': machine({
    about: 'Ubuntu 22.04 with linux-modules-extra: the stock shiftfs can be loaded',
    source: 'nestybox/sysbox docs/distro-compat.md v0.7.0 (Ubuntu: linux-modules-extra)',
    size: elSize,
    parts: ubuntu22('5.15.0-91-generic'),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'ubuntu-22.04-lockdown': machine({
    about: 'Ubuntu 22.04 with lockdown=integrity: its own shiftfs is signed and can be loaded all the same',
    source: "measured on Debian kernel 6.1.192: the distribution's own module loads under lockdown",
    parts: [...ubuntu22('5.15.0-91-generic'), lockdown('integrity')],
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'ubuntu-22.04-suspect': machine({
    about: 'Ubuntu 5.15.0-52, whose shiftfs loads and then fails on mkdir and rename',
    source: 'https://bugs.launchpad.net/bugs/1990849',
    parts: ubuntu22('5.15.0-52-generic'),
    expected: { cvm: 'yes', 'cached-cvm': 'unknown', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'ubuntu-22.04-hwe': machine({
    about: 'Ubuntu 22.04 with a 6.5 kernel and a FUSE device plugin: whether AppArmor restricts user namespaces is for root only',
    source: 'https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces',
    parts: [
      linux('6.5.0-45-generic'),
      ubuntu('22.04', '22.04.4'),
      modules('6.5.0-45-generic', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      kvm,
      virtio,
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 0 })
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' },
    expectedAsUser: {
      answers: { podman: 'unknown' },
      because: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns cannot be read: EACCES'
    }
  }),
  'ubuntu-24.04': machine({
    about: 'Ubuntu 24.04 as installed: AppArmor restricts user namespaces, and no profile named podman is loaded',
    source: 'https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces (the default from 24.04 on)',
    parts: [
      linux('6.8.0-45-generic'),
      ubuntu('24.04', '24.04.1'),
      modules('6.8.0-45-generic', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      kvm,
      virtio,
      apparmor('unprivileged_userns (enforce)'),
      sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 1 })
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'ubuntu-26.04': machine({
    about: 'Ubuntu 26.04: AppArmor enforces its profile for fusermount3, which stops Sysbox; one named podman is loaded too',
    source: 'nestybox/sysbox#1005; measured with Sysbox 0.7.0 on Debian kernel 6.12 with the profile of apparmor 5.0',
    parts: [
      linux('7.0.0-9-generic'),
      ubuntu('26.04'),
      modules('7.0.0-9-generic', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      kvm,
      virtio,
      apparmor('fusermount3 (enforce)', 'podman (unconfined)', 'unprivileged_userns (enforce)'),
      sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 1 }),
      { '/etc/apparmor.d/fusermount3': FUSERMOUNT3 }
    ],
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'unknown', sysbox: 'no' }
  }),
  'ubuntu-26.04-mended': machine({
    about: 'Ubuntu 26.04 whose administrator let Sysbox mount, as its makers advise; the profile is still enforced',
    source: 'nestybox/sysbox#947; nestybox/sysbox#1005 (kernel 7.0)',
    parts: [
      linux('7.0.0-9-generic'),
      ubuntu('26.04'),
      modules('7.0.0-9-generic', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      kvm,
      virtio,
      apparmor('fusermount3 (enforce)', 'podman (unconfined)', 'unprivileged_userns (enforce)'),
      sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 1 }),
      {
        '/etc/apparmor.d/fusermount3': FUSERMOUNT3,
        '/etc/apparmor.d/local/fusermount3':
          '  mount fstype=@{fuse_types} options=(nosuid,nodev,rw) -> /var/lib/sysboxfs/**/,\n  umount /var/lib/sysboxfs/**/,\n'
      }
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'unknown', sysbox: 'no' }
  }),
  'ubuntu-26.04-complain': machine({
    about: 'Ubuntu 26.04 after aa-complain fusermount3',
    source: 'nestybox/sysbox#1005 (kernel 7.0)',
    parts: [
      linux('7.0.0-9-generic'),
      ubuntu('26.04'),
      modules('7.0.0-9-generic', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      kvm,
      virtio,
      apparmor('fusermount3 (complain)', 'podman (unconfined)', 'unprivileged_userns (enforce)'),
      sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 1 }),
      { '/etc/apparmor.d/fusermount3': FUSERMOUNT3.replace(' {', ' flags=(complain) {') }
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'unknown', sysbox: 'no' }
  }),
  'rocky-8': machine({
    about: 'Rocky Linux 8, kernel 4.18, SELinux enforcing',
    source: 'nestybox/sysbox docs/distro-compat.md v0.7.0; os-release of Rocky Linux 8',
    size: elSize,
    parts: [
      linux('4.18.0-425.10.1.el8_7.x86_64'),
      el('rocky', 'Rocky Linux', '8.10', 'rhel centos fedora'),
      modules('4.18.0-425.10.1.el8_7.x86_64', { netfilter: NETFILTER.el, loaded: WORKING, loadable: ['fuse'], packed: '.xz' }),
      kvm,
      virtio,
      selinux(1),
      mounts(['/', 'xfs']),
      { '/proc/sys/kernel/seccomp/actions_avail': 'kill_process kill_thread trap errno trace log allow\n' }
    ],
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'rocky-8-elrepo': machine({
    about: "Rocky Linux 8 with ELRepo's kernel 6.1, SELinux permissive",
    source: 'nestybox/sysbox docs/distro-compat.md v0.7.0 (other distributions from 5.12 on); kernel-lt of ELRepo',
    size: elSize,
    parts: [
      linux('6.1.66-1.el8.elrepo.x86_64'),
      el('rocky', 'Rocky Linux', '8.10', 'rhel centos fedora'),
      modules('6.1.66-1.el8.elrepo.x86_64', { netfilter: NETFILTER.el, loaded: WORKING, loadable: ['fuse'], packed: '.xz' }),
      kvm,
      virtio,
      selinux(0),
      mounts(['/', 'xfs'])
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'rocky-10-core': machine({
    about: 'Rocky Linux 10 without kernel-modules-extra: nf_tables is there, and neither nft_compat nor any xt_ module',
    source:
      'package kernel-modules-extra of Rocky Linux 10; measured on Debian kernel 6.1.192 with moby 29 and iptables 1.8.7, nft_compat deleted',
    parts: [
      linux('6.12.0-55.30.1.el10_0.x86_64'),
      el('rocky', 'Rocky Linux', '10.0', 'rhel centos fedora'),
      modules('6.12.0-55.30.1.el10_0.x86_64', {
        loaded: WORKING.filter(name => name !== 'ip_tables'),
        loadable: ['fuse'],
        netfilter: NETFILTER.el10Core,
        packed: '.xz'
      }),
      kvm,
      virtio,
      selinux(0)
    ],
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'jetson-orin': machine({
    about: 'NVIDIA Jetson Orin (L4T 36), which calls itself Ubuntu 22.04: its kernel has iptables-legacy only',
    source:
      "the kernel's configuration as its maker publishes it; measured on Debian kernel 6.1.192 with moby 29 and iptables 1.8.7, nf_tables deleted",
    arch: 'arm64',
    parts: [
      linux('5.15.148-tegra'),
      ubuntu('22.04', '22.04.5'),
      modules('5.15.148-tegra', {
        loaded: WORKING.filter(name => name !== 'nf_tables'),
        builtin: ['fuse'],
        netfilter: NETFILTER.tegra
      }),
      armCpu,
      virtio,
      apparmor(),
      dmi('NVIDIA', 'NVIDIA Jetson AGX Orin Developer Kit', { board_vendor: 'NVIDIA', bios_vendor: 'EDK II' })
    ],
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  minikube: machine({
    about: 'minikube, whose Buildroot kernel has iptables-legacy and no nf_tables',
    source:
      "the kernel's configuration as its maker publishes it; measured on Debian kernel 6.1.192 with moby 29 and iptables 1.8.7, nf_tables deleted",
    parts: [
      linux('6.6.95'),
      distro({ NAME: 'Buildroot', ID: 'buildroot', VERSION_ID: '2025.02', PRETTY_NAME: '"Buildroot 2025.02"' }),
      modules('6.6.95', {
        loaded: WORKING.filter(name => name !== 'nf_tables'),
        builtin: ['fuse'],
        netfilter: NETFILTER.buildroot
      }),
      kvm,
      virtio
    ],
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'rocky-9': machine({
    about: 'Rocky Linux 9, SELinux permissive: its kernel may have ID-mapped mounts disabled',
    source: 'https://bugzilla.redhat.com/2018141 (ID-mapped mounts disabled); nestybox/sysbox#586',
    size: elSize,
    parts: [
      linux(rocky9),
      el('rocky', 'Rocky Linux', '9.5', 'rhel centos fedora'),
      modules(rocky9, { netfilter: NETFILTER.el, loaded: WORKING, loadable: ['fuse'], packed: '.xz' }),
      kvm,
      virtio,
      uefi('off'),
      selinux(0),
      mounts(['/', 'xfs'])
    ],
    expected: { cvm: 'unknown', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  rhcos: machine({
    about: 'OpenShift: RHEL CoreOS with CRI-O, SELinux enforcing',
    source: "os-release of RHEL CoreOS; Coder's requirements (OpenShift does not support CVMs)",
    size: elSize,
    parts: [
      linux(rocky9),
      distro({
        NAME: 'Red Hat Enterprise Linux CoreOS',
        VERSION: '416.94.202405291527-0',
        ID: '"rhcos"',
        ID_LIKE: '"rhel fedora"',
        VERSION_ID: '"4.16"',
        VARIANT_ID: 'coreos',
        PRETTY_NAME: 'Red Hat Enterprise Linux CoreOS 416.94.202405291527-0',
        OPENSHIFT_VERSION: '"4.16"'
      }),
      modules(rocky9, { netfilter: NETFILTER.el, loaded: WORKING, loadable: ['fuse'], packed: '.xz' }),
      kvm,
      virtio,
      uefi('off'),
      selinux(1),
      mounts(['/', 'xfs'], ['/usr', 'xfs', 'ro,relatime'], ['/var', 'xfs'])
    ],
    node: kubeNode({
      name: 'rhcos',
      kubelet: 'v1.29.5+87992f4',
      image: 'Red Hat Enterprise Linux CoreOS 416.94.202405291527-0',
      kernel: rocky9,
      runtime: 'cri-o://1.29.5-3.rhaos4.16.git96e1f87.el9',
      labels: { 'node.openshift.io/os_id': 'rhcos' }
    }),
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'rhcos-4.20': machine({
    about: 'OpenShift 4.20, which supports nested Podman under SELinux; CRI-O gives FUSE by annotation',
    source: 'eclipse-che/che-operator#2046; cri-o/cri-o pkg/config/config.go (allowed_devices)',
    size: elSize,
    parts: [
      linux(rocky9),
      distro({
        NAME: 'Red Hat Enterprise Linux CoreOS',
        VERSION: '9.6.20260112-0',
        ID: '"rhel"',
        ID_LIKE: '"fedora"',
        VERSION_ID: '"9.6"',
        VARIANT_ID: 'coreos',
        PRETTY_NAME: 'Red Hat Enterprise Linux CoreOS 9.6.20260112-0',
        OPENSHIFT_VERSION: '"4.20"'
      }),
      modules(rocky9, { netfilter: NETFILTER.el, loaded: WORKING, loadable: ['fuse'], packed: '.xz' }),
      kvm,
      virtio,
      uefi('off'),
      selinux(1),
      mounts(['/', 'xfs'], ['/usr', 'xfs', 'ro,relatime'], ['/var', 'xfs']),
      { '/etc/crio/crio.conf.d/00-default': '[crio.runtime]\nallowed_devices = ["/dev/fuse", "/dev/net/tun"]\n' }
    ],
    node: kubeNode({
      name: 'rhcos-420',
      kubelet: 'v1.33.5',
      image: 'Red Hat Enterprise Linux CoreOS 9.6.20260112-0',
      kernel: rocky9,
      runtime: 'cri-o://1.33.5-2.rhaos4.20.el9',
      labels: { 'node.openshift.io/os_id': 'rhel' }
    }),
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'crio-no-fuse': machine({
    about: 'CRI-O whose administrator took FUSE from its allowed devices, SELinux permissive',
    source: 'cri-o/cri-o pkg/config/config.go (allowed_devices)',
    size: elSize,
    parts: [
      linux(rocky9),
      distro({
        NAME: 'Red Hat Enterprise Linux CoreOS',
        VERSION: '416.94.202405291527-0',
        ID: '"rhcos"',
        ID_LIKE: '"rhel fedora"',
        VERSION_ID: '"4.16"',
        VARIANT_ID: 'coreos',
        PRETTY_NAME: 'Red Hat Enterprise Linux CoreOS 416.94.202405291527-0',
        OPENSHIFT_VERSION: '"4.16"'
      }),
      modules(rocky9, { netfilter: NETFILTER.el, loaded: WORKING, loadable: ['fuse'], packed: '.xz' }),
      kvm,
      virtio,
      uefi('off'),
      selinux(0),
      mounts(['/', 'xfs'], ['/usr', 'xfs', 'ro,relatime'], ['/var', 'xfs']),
      { '/etc/crio/crio.conf.d/10-devices.conf': '[crio.runtime]\nallowed_devices = ["/dev/net/tun"]\n' }
    ],
    node: kubeNode({
      name: 'crio-no-fuse',
      kubelet: 'v1.29.5+87992f4',
      image: 'Red Hat Enterprise Linux CoreOS 416.94.202405291527-0',
      kernel: rocky9,
      runtime: 'cri-o://1.29.5-3.rhaos4.16.git96e1f87.el9',
      labels: { 'node.openshift.io/os_id': 'rhcos' }
    }),
    expected: { cvm: 'unknown', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  flatcar: machine({
    about: 'Flatcar Container Linux, kernel 6.1, /usr read-only, SELinux permissive',
    source: 'nestybox/sysbox docs/distro-compat.md v0.7.0; os-release and nodeInfo of Flatcar',
    parts: [
      linux('6.1.85-flatcar'),
      distro({
        NAME: 'Flatcar Container Linux by Kinvolk',
        ID: 'flatcar',
        ID_LIKE: 'coreos',
        VERSION: '3815.2.2',
        VERSION_ID: '3815.2.2',
        PRETTY_NAME: 'Flatcar Container Linux by Kinvolk 3815.2.2 (Oklo)',
        FLATCAR_BOARD: '"amd64-usr"'
      }),
      modules('6.1.85-flatcar', { netfilter: NETFILTER.flatcar, loaded: WORKING, loadable: ['fuse'], packed: '.xz' }),
      kvm,
      virtio,
      uefi('off'),
      selinux(0),
      mounts(['/', 'ext4'], ['/usr', 'btrfs', 'ro,relatime'])
    ],
    node: kubeNode({
      name: 'flatcar',
      kubelet: 'v1.29.2',
      image: 'Flatcar Container Linux by Kinvolk 3815.2.2 (Oklo)',
      kernel: '6.1.85-flatcar',
      runtime: 'containerd://1.7.13'
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  talos: machine({
    about: 'Talos Linux on bare metal: signed modules only, and no user namespaces until its configuration asks for them',
    source: 'https://www.talos.dev (process capabilities, kernel hardening); os-release of Talos 1.8',
    parts: [
      linux('6.6.58-talos', 'talos.platform=metal module.sig_enforce=1 lockdown=integrity'),
      distro({ NAME: 'Talos', ID: 'talos', VERSION_ID: 'v1.8.2', PRETTY_NAME: 'Talos (v1.8.2)' }),
      modules('6.6.58-talos', { netfilter: NETFILTER.talos, loaded: [], builtin: [...WORKING, 'fuse'] }),
      dell,
      board,
      uefi('off'),
      lockdown('integrity'),
      mounts(['/', 'squashfs', 'ro,relatime'], ['/var', 'xfs'], ['/etc/kubernetes', 'tmpfs']),
      sysctl({ 'user.max_user_namespaces': 0 }),
      { '/sys/module/module/parameters/sig_enforce': 'Y\n', '/usr/src': undefined }
    ],
    node: kubeNode({
      name: 'talos',
      kubelet: 'v1.31.2',
      image: 'Talos (v1.8.2)',
      kernel: '6.6.58-talos',
      runtime: 'containerd://2.0.0-rc.6',
      handlers: ['', 'runc']
    }),
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  })
} as const
