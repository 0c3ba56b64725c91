import {
  apparmor,
  armCpu,
  board,
  cpu,
  dell,
  dmi,
  kubeNode,
  kvm,
  linux,
  machine,
  modules,
  NETFILTER,
  sysctl,
  ubuntu,
  uefi,
  virtio,
  WORKING
} from '../parts.ts'
import { device, directory, locked, type Tree } from '../played.ts'

/** Ubuntu 24.04 on machines that can run microVMs, or almost. */

const REL = '6.8.0-45-generic'
const noble = [
  linux(REL),
  ubuntu('24.04', '24.04.1'),
  modules(REL, { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
  apparmor(),
  sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 0 })
]
const intel = [...noble, dell, board, uefi('off')]
const amd = [
  ...noble,
  cpu('AMD EPYC 9354 32-Core Processor', false),
  dmi('Supermicro', 'AS -1125HS-TNR', { bios_vendor: 'American Megatrends International, LLC.', product_version: '0123456789' }),
  board,
  uefi('off')
]
const virtual = [...noble, kvm, virtio]

/** What the module makes: the device with the mode and group of systemd's udev rule on Debian and Ubuntu. */
const driven = (...by: readonly string[]): Tree => ({
  '/dev/kvm': device('10:232', 0o660),
  ...Object.fromEntries(['kvm', ...by].map(name => [`/sys/module/${name}`, directory]))
})

const RUNTIME = 'containerd://2.1.4'
const nodeOf = (name: string, offers: Readonly<Record<string, string>>, more: { handlers?: string[]; arch?: string } = {}) =>
  kubeNode({
    name,
    kubelet: 'v1.34.1',
    image: 'Ubuntu 24.04.1 LTS',
    kernel: REL,
    runtime: RUNTIME,
    handlers: ['', 'runc'],
    offers,
    ...more
  })
const OURS = { 'berth.dev/kvm': '256' }

const KERNEL = 'linux arch/x86/kvm/vmx/vmx.c hardware_setup (without VMX the module does not load), arch/x86/kvm/x86.c'
const PVM = 'measured: /dev/kvm of kvm_pvm answers API version 12, and a Debian kernel dies at once ("KVM internal error")'

/** No FUSE is offered to pods. */
const ONLY_CVM = { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' } as const
const WITHOUT_NODE = { ...ONLY_CVM, podman: 'yes' } as const

export const kvms = {
  'kvm-offered': machine({
    about: 'Bare metal with Intel processors whose /dev/kvm the device plugin of berth offers',
    source: KERNEL,
    parts: [...intel, driven('kvm_intel')],
    node: nodeOf('kvm-offered', OURS),
    expected: ONLY_CVM
  }),
  'kvm-kata': machine({
    about: 'Bare metal with AMD processors and Kata Containers, and no device plugin for KVM',
    source: 'kata-containers tools/packaging/kata-deploy (handlers kata-qemu, kata-fc and others)',
    parts: [...amd, driven('kvm_amd')],
    node: nodeOf('kvm-kata', {}, { handlers: ['', 'kata-qemu', 'runc'] }),
    expected: ONLY_CVM
  }),
  'kvm-arm64': machine({
    about: 'A server with Ampere processors, whose kernel has KVM built in, and the device plugin of KubeVirt',
    source: 'linux arch/arm64/kvm/Kconfig (CONFIG_KVM is no module); kubevirt pkg/virt-handler/device-manager (kvm)',
    arch: 'arm64',
    parts: [...noble, armCpu, dmi('Ampere', 'Mt. Jade'), board, uefi('off'), driven()],
    node: nodeOf('kvm-arm64', { 'devices.kubevirt.io/kvm': '1k' }, { arch: 'arm64' }),
    expected: ONLY_CVM
  }),
  'kvm-no-node': machine({
    about: 'A server with /dev/kvm that is in no cluster yet',
    source: KERNEL,
    parts: [...intel, driven('kvm_intel')],
    expected: WITHOUT_NODE
  }),
  'kvm-pvm': machine({
    about: 'A virtual machine without nested virtualization whose /dev/kvm is driven by kvm_pvm, and a plugin that offers it',
    source: PVM,
    parts: [...virtual, driven('kvm_pvm'), { '/dev/kvm': device('10:232', 0o600) }],
    node: nodeOf('kvm-pvm', OURS),
    expected: ONLY_CVM
  }),
  'kvm-two-modules': machine({
    about: 'The same with a kvm_intel that is built in, so that it has a directory in /sys/module without working',
    source: 'linux kernel/params.c (a built-in module with parameters is in /sys/module, whether its start failed or not)',
    parts: [...virtual, driven('kvm_pvm', 'kvm_intel')],
    node: nodeOf('kvm-two-modules', OURS),
    expected: ONLY_CVM
  }),
  'kvm-not-nested': machine({
    about: 'Kata Containers on virtual machines without nested virtualization: its pods do not start',
    source: KERNEL,
    parts: [...virtual, { '/sys/module/kvm': directory }],
    node: nodeOf('kvm-not-nested', {}, { handlers: ['', 'kata-clh', 'runc'] }),
    expected: ONLY_CVM
  }),
  'kvm-wrong-device': machine({
    about: 'A server where /dev/kvm is another device',
    source: 'linux Documentation/admin-guide/devices.txt (10:232 kvm, 1:3 null)',
    parts: [...intel, driven('kvm_intel'), { '/dev/kvm': device('1:3') }],
    node: nodeOf('kvm-wrong-device', OURS),
    expected: ONLY_CVM
  }),
  'kvm-not-offered': machine({
    about: 'Bare metal with /dev/kvm, which nothing offers to pods',
    source: KERNEL,
    parts: [...intel, driven('kvm_intel')],
    node: nodeOf('kvm-not-offered', {}),
    expected: ONLY_CVM
  }),
  'kvm-no-handlers': machine({
    about: 'The same with containerd 1.7, which does not report its runtime handlers: Kata could be one',
    source: 'kubernetes kubelet/kuberuntime (handlers of the CRI call Status, containerd 2.0 and newer)',
    parts: [...intel, driven('kvm_intel')],
    node: kubeNode({
      name: 'kvm-no-handlers',
      kubelet: 'v1.31.4',
      image: 'Ubuntu 24.04.1 LTS',
      kernel: REL,
      runtime: 'containerd://1.7.24'
    }),
    expected: ONLY_CVM
  }),
  'kvm-hidden-modules': machine({
    about: 'A server with /dev/kvm whose /sys/module the agent may not enter',
    source: 'open(2): EACCES is no answer',
    parts: [...intel, driven('kvm_intel'), { '/sys/module': locked('EACCES') }],
    node: nodeOf('kvm-hidden-modules', OURS),
    expected: { ...ONLY_CVM, cvm: 'unknown', 'cached-cvm': 'unknown' }
  })
} as const
