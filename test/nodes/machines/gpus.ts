import {
  apparmor,
  armCpu,
  board,
  cpu,
  dell,
  dmi,
  ec2,
  gce,
  kubeNode,
  kvm,
  linux,
  machine,
  modules,
  mounts,
  NETFILTER,
  NVIDIA_3D,
  nvidia,
  type Pci,
  pci,
  supermicro,
  sysctl,
  ubuntu,
  uefi,
  virtio,
  WORKING
} from '../parts.ts'
import { device, link, locked, type Tree } from '../played.ts'

/** Machines with devices for work, most of them Ubuntu 22.04 with the stock shiftfs. */

const REL = '5.15.0-91-generic'
const jammy = [
  linux(REL),
  ubuntu('22.04', '22.04.4'),
  modules(REL, { netfilter: NETFILTER.ubuntu, loaded: WORKING, loadable: ['shiftfs'], builtin: ['fuse'] }),
  apparmor(),
  sysctl({ 'kernel.unprivileged_userns_clone': 1 })
]

const nodeOf = (name: string, offers: Readonly<Record<string, string>>, kernel = REL, providerID?: string) =>
  kubeNode({
    name,
    kubelet: 'v1.31.4',
    image: 'Ubuntu 22.04.4 LTS',
    kernel,
    runtime: 'containerd://1.7.24',
    handlers: ['', 'nvidia', 'runc'],
    offers,
    ...(providerID === undefined ? {} : { providerID })
  })

/** The addresses of devices at consecutive buses. */
const buses = (count: number, first = 0x17): readonly string[] =>
  Array.from({ length: count }, (_, index) => `0000:${(first + index).toString(16).padStart(2, '0')}:00.0`)

const row = (at: readonly string[], device: Omit<Pci, 'at'>) => pci(...at.map(address => ({ at: address, ...device })))

const bound = (count: number, driver = 'nvidia') => row(buses(count), { ...NVIDIA_3D, driver })

/** The profiles that the driver lists once a GPU is split: `gi` is a GPU instance. */
const split = (...instances: readonly number[]) =>
  Object.fromEntries(
    instances.map(gi => [`/proc/driver/nvidia/capabilities/gpu0/mig/gi${gi}/access`, `DeviceFileMinor: ${gi * 9}\n`])
  )

/** NVIDIA's management library as a package has it, below a root. */
const library = (root: string, version: string): Tree => ({
  [`${root}/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1`]: link(`libnvidia-ml.so.${version}`),
  [`${root}/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.${version}`]: ''
})

const dellSize = { cpu: 'Intel Xeon Gold 6338', cores: 64, memory: 512 }
const server = [...jammy, dell, board, uefi('off')]
const virtual = [...jammy, kvm, virtio]
const NO_GPU = { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' } as const

export const gpus = {
  'dell-a100': machine({
    about: 'Bare metal with two A100, driver and device plugin: a GPU in a CVM',
    source:
      'systemd/systemd src/basic/virt.c; NVIDIA/go-nvlib pkg/nvpci/nvpci.go; NVIDIA/open-gpu-kernel-modules kernel-open/nvidia/nv-procfs.c',
    size: dellSize,
    space: [1400, 1900],
    parts: [...server, bound(2), nvidia('535.129.03', buses(2))],
    node: nodeOf('dell-a100', { 'nvidia.com/gpu': '2' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'yes', podman: 'no', sysbox: 'no' }
  }),
  'dell-a100-upgraded': machine({
    about: 'The same after an upgrade of the driver package and before the reboot: the library is newer than the loaded module',
    source: `NVML's error "Driver/library version mismatch" (https://docs.nvidia.com/deploy/nvml-api/)`,
    size: dellSize,
    space: [1400, 1900],
    parts: [...server, bound(2), nvidia('535.129.03', buses(2)), library('', '550.135')],
    node: nodeOf('dell-a100-upgraded', { 'nvidia.com/gpu': '2' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'dell-a100-operator': machine({
    about: "The GPU operator with its driver container: device files and library lie below the driver's root; offered in shares",
    source: 'NVIDIA/gpu-operator (driver root /run/nvidia/driver); NVIDIA/k8s-device-plugin README.md (nvidia.com/gpu.shared)',
    size: dellSize,
    space: [1400, 1900],
    parts: [
      ...server,
      bound(2),
      nvidia('550.135', buses(2)),
      { '/dev/nvidiactl': undefined, '/run/nvidia/driver/dev/nvidiactl': device('195:255') },
      library('/run/nvidia/driver', '550.135'),
      mounts(['/', 'ext4'], ['/run/nvidia/driver', 'overlay'])
    ],
    node: nodeOf('dell-a100-operator', { 'nvidia.com/gpu.shared': '8' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'yes', podman: 'no', sysbox: 'no' }
  }),
  'dell-a100-mig': machine({
    about: 'The same with an A100 split by MIG and offered as whole GPUs (single strategy): only the driver tells',
    source:
      'https://docs.nvidia.com/datacenter/tesla/mig-user-guide/ (capabilities, single strategy); NVIDIA/k8s-device-plugin README.md',
    size: dellSize,
    space: [1400, 1900],
    parts: [...server, bound(1), nvidia('535.129.03', buses(1)), split(7, 8, 9)],
    node: nodeOf('dell-a100-mig', { 'nvidia.com/gpu': '3' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'dell-a100-mig-mixed': machine({
    about: 'The same with the instances offered by their profiles (mixed strategy)',
    source: 'https://docs.nvidia.com/datacenter/tesla/mig-user-guide/ (mixed strategy); NVIDIA/k8s-device-plugin README.md',
    size: dellSize,
    space: [1400, 1900],
    parts: [...server, bound(1), nvidia('535.129.03', buses(1)), split(7, 8)],
    node: nodeOf('dell-a100-mixed', { 'nvidia.com/gpu': '0', 'nvidia.com/mig-1g.5gb': '2' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'dell-a100-no-plugin': machine({
    about: 'Bare metal with an A100 and its driver, and no device plugin; whether DRA offers it is not told',
    source: 'NVIDIA/k8s-device-plugin README.md; NVIDIA/k8s-dra-driver-gpu',
    size: dellSize,
    parts: [...server, bound(1), nvidia('535.129.03', buses(1))],
    node: nodeOf('dell-a100-bare', {}),
    // A Node object does not tell what DRA offers.
    expected: { ...NO_GPU, gpu: 'unknown', 'gpu-cvm': 'unknown' }
  }),
  'dell-a100-no-node': machine({
    about: 'Bare metal with an A100 and its driver, looked at without a cluster; systemd-detect-virt was run',
    source: 'systemd/systemd src/basic/virt.c; NVIDIA/open-gpu-kernel-modules kernel-open/nvidia/nv-procfs.c',
    size: dellSize,
    parts: [...server, bound(1), nvidia('535.129.03', buses(1))],
    programs: { '/usr/bin/systemd-detect-virt --vm': 'none' },
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'yes', podman: 'yes', sysbox: 'no' }
  }),
  'ec2-g5': machine({
    about: 'EC2 g5.xlarge with an A10G: a GPU for pods, and not for CVMs in a virtual machine',
    source: 'systemd/systemd src/basic/virt.c; NVIDIA/open-gpu-kernel-modules kernel-open/nvidia/nv-procfs.c; DMI as EC2 has it',
    parts: [
      linux('6.8.0-1008-aws'),
      ubuntu('22.04', '22.04.4'),
      modules('6.8.0-1008-aws', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      apparmor(),
      ec2('g5.xlarge'),
      pci(
        { at: '0000:00:05.0', vendor: '0x1d0f', kind: '0x020000', driver: 'ena' },
        { at: '0000:00:1e.0', ...NVIDIA_3D, driver: 'nvidia' }
      ),
      nvidia('550.135', ['0000:00:1e.0'])
    ],
    node: nodeOf('ec2-g5', { 'nvidia.com/gpu': '1' }, '6.8.0-1008-aws', 'aws:///eu-west-1a/i-00000000000000000'),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'yes', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'ec2-metal-t4': machine({
    about: 'EC2 g4dn.metal with eight T4 and the open kernel module: bare metal by its product name',
    source:
      'systemd/systemd src/basic/virt.c; NVIDIA/open-gpu-kernel-modules kernel-open/nvidia/nv-procfs.c (open kernel module)',
    parts: [
      linux('5.15.0-1084-aws'),
      ubuntu('22.04', '22.04.5'),
      modules('5.15.0-1084-aws', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'] }),
      apparmor(),
      ec2('g4dn.metal'),
      pci({ at: '0000:00:05.0', vendor: '0x1d0f', kind: '0x020000', driver: 'ena' }),
      bound(8),
      nvidia('580.95.05', buses(8), true)
    ],
    node: nodeOf(
      'ec2-metal',
      { 'nvidia.com/gpu': '8', 'github.com/fuse': '5000' },
      '5.15.0-1084-aws',
      'aws:///eu-west-1a/i-00000000000000000'
    ),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'yes', 'gpu-cvm': 'yes', podman: 'yes', sysbox: 'no' }
  }),
  'hgx-h100': machine({
    about: 'Bare metal with eight H100 and four NVSwitches, which are no GPUs',
    source: 'NVIDIA/go-nvlib pkg/nvpci/nvpci.go (class 0x0680 is an NVSwitch)',
    size: { cpu: 'Intel Xeon Platinum 8480C', cores: 112, memory: 2048 },
    space: [6000, 7600],
    parts: [
      linux('6.8.0-45-generic'),
      ubuntu('24.04', '24.04.1'),
      modules('6.8.0-45-generic', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 0 }),
      supermicro,
      board,
      bound(8),
      row(buses(4, 0x60), { vendor: '0x10de', kind: '0x068000', driver: 'nvidia-nvswitch' }),
      nvidia('550.135', buses(8)),
      {
        '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages': '0\n',
        '/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages': '16\n'
      }
    ],
    node: nodeOf('hgx-h100', { 'nvidia.com/gpu': '8', 'smarter-devices/fuse': '20' }, '6.8.0-45-generic'),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'yes', 'gpu-cvm': 'yes', podman: 'yes', sysbox: 'no' }
  }),
  'vultr-a100': machine({
    about: 'A virtual machine with an A100 whose maker berth does not know: only the processor flag tells',
    source: 'canonical/cloud-init tools/ds-identify (Vultr)',
    parts: [
      ...jammy,
      cpu('Intel Core Processor (Broadwell, no TSX, IBRS)', true),
      dmi('Vultr', 'VHP', { bios_vendor: 'Vultr', product_version: '' }),
      virtio,
      bound(1),
      nvidia('550.135', buses(1))
    ],
    node: nodeOf('vultr-a100', { 'nvidia.com/gpu': '1' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'gce-a4x': machine({
    about: 'GCE A4X: an arm64 virtual machine with four GB200, where no processor flag tells that it is one',
    source: 'canonical/cloud-init tools/ds-identify (Google Compute Engine)',
    arch: 'arm64',
    parts: [
      linux('6.8.0-1024-gcp'),
      ubuntu('24.04', '24.04.1'),
      modules('6.8.0-1024-gcp', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      apparmor(),
      gce,
      armCpu,
      virtio,
      bound(4),
      nvidia('580.95.05', buses(4), true)
    ],
    node: nodeOf('gce-a4x', { 'nvidia.com/gpu': '4' }, '6.8.0-1024-gcp', 'gce://project/us-central1-b/gce-a4x'),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'yes', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'oracle-metal-a100': machine({
    about: 'Bare metal of Oracle with two A100: its DMI bears the name that virtual machines have too',
    source: 'systemd/systemd src/basic/virt.c (Oracle Corporation and Google make physical machines too)',
    size: dellSize,
    parts: [
      ...jammy,
      cpu('AMD EPYC 7542 32-Core Processor', false),
      dmi('Oracle Corporation', 'ORACLE SERVER E4-2c', { product_version: '' }),
      board,
      uefi('off'),
      bound(2),
      nvidia('550.135', buses(2))
    ],
    node: nodeOf('oracle-metal', { 'nvidia.com/gpu': '2' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'yes', podman: 'no', sysbox: 'no' }
  }),
  'google-metal-h100': machine({
    about: 'Bare metal of Google with an H100',
    source: 'systemd/systemd src/basic/virt.c (Oracle Corporation and Google make physical machines too)',
    size: dellSize,
    parts: [
      ...jammy,
      cpu('Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz', false),
      dmi('Google', 'Google Compute Engine', { product_version: '' }),
      board,
      uefi('off'),
      bound(1),
      nvidia('550.135', buses(1))
    ],
    node: nodeOf('google-metal', { 'nvidia.com/gpu': '1' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'yes', podman: 'no', sysbox: 'no' }
  }),
  'cloud-hypervisor-arm': machine({
    about: 'A virtual machine under Cloud Hypervisor on arm64 with a GPU passed through',
    source: 'systemd/systemd src/basic/virt.c (arm64 has no processor flag for a hypervisor)',
    arch: 'arm64',
    parts: [...jammy, armCpu, dmi('Cloud Hypervisor', 'cloud-hypervisor'), virtio, bound(1), nvidia('550.135', buses(1))],
    node: nodeOf('cloud-hypervisor', { 'nvidia.com/gpu': '1' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'unknown', podman: 'no', sysbox: 'no' }
  }),
  'tencent-arm': machine({
    about: 'A virtual machine of Tencent Cloud on arm64 with a GPU',
    source: 'systemd/systemd src/basic/virt.c (arm64 has no processor flag for a hypervisor)',
    arch: 'arm64',
    parts: [...jammy, armCpu, dmi('Tencent Cloud', 'CVM'), virtio, bound(1), nvidia('550.135', buses(1))],
    node: nodeOf('tencent', { 'nvidia.com/gpu': '1' }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'yes', 'gpu-cvm': 'unknown', podman: 'no', sysbox: 'no' }
  }),
  'hetzner-arm': machine({
    about: 'A virtual machine of Hetzner on arm64, whose DMI names its maker and no hypervisor',
    source: 'canonical/cloud-init tools/ds-identify (Hetzner)',
    arch: 'arm64',
    parts: [...jammy, armCpu, dmi('Hetzner', 'vServer', { product_version: '20171111' }), virtio],
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  vfio: machine({
    about: 'An A100 bound to vfio-pci, for virtual machines on this host',
    source: 'NVIDIA/go-nvlib pkg/nvpci/nvpci.go',
    parts: [...server, bound(1, 'vfio-pci')],
    node: nodeOf('vfio', {}),
    expected: NO_GPU
  }),
  nouveau: machine({
    about: 'An NVIDIA card with the driver nouveau',
    source: 'NVIDIA/go-nvlib pkg/nvpci/nvpci.go; NVIDIA/open-gpu-kernel-modules kernel-open/nvidia/nv-procfs.c',
    parts: [
      ...server,
      pci({ at: '0000:17:00.0', vendor: '0x10de', kind: '0x030000', driver: 'nouveau' }),
      { '/sys/module/nouveau/initstate': 'live\n' }
    ],
    node: nodeOf('nouveau', {}),
    expected: NO_GPU
  }),
  'gpu-no-driver': machine({
    about: 'A virtual machine with an A100 and no driver',
    source: 'NVIDIA/go-nvlib pkg/nvpci/nvpci.go',
    parts: [...virtual, pci({ at: '0000:00:07.0', ...NVIDIA_3D })],
    node: nodeOf('gpu-no-driver', {}),
    expected: NO_GPU
  }),
  'gpu-unreadable-driver': machine({
    about: 'Bare metal with an A100 where /proc/driver/nvidia may not be read',
    source: 'NVIDIA/go-nvlib pkg/nvpci/nvpci.go',
    parts: [...server, bound(1), nvidia('535.129.03', buses(1)), { '/proc/driver/nvidia': locked('EACCES') }],
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'unknown', 'gpu-cvm': 'unknown', podman: 'yes', sysbox: 'no' }
  }),
  'amd-instinct': machine({
    about: 'Bare metal with eight AMD Instinct, offered to pods: hardware that is seen, and never a yes',
    source: 'ROCm/k8s-device-plugin (class 0x1200, amd.com/gpu)',
    parts: [...server, row(buses(8), { vendor: '0x1002', kind: '0x120000', driver: 'amdgpu' })],
    node: nodeOf('amd-instinct', { 'amd.com/gpu': '8' }),
    expected: NO_GPU
  }),
  'nvidia-audio': machine({
    about: 'Only the audio function of an NVIDIA card, and the graphics of the processor: nothing to compute with',
    source: 'NVIDIA/go-nvlib pkg/nvpci/nvpci.go',
    parts: [
      ...jammy,
      cpu('Intel(R) Core(TM) i7-12700', false),
      dmi('LENOVO', '11MXS0AH00', { product_version: 'ThinkCentre M70t' }),
      pci(
        { at: '0000:00:02.0', vendor: '0x8086', kind: '0x030000', driver: 'i915' },
        { at: '0000:01:00.1', vendor: '0x10de', kind: '0x040300', driver: 'snd_hda_intel' }
      )
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  })
} as const
