import {
  apparmor,
  armCpu,
  azure,
  distro,
  dmi,
  ec2,
  gce,
  headers,
  IDMAPPED,
  kubeNode,
  linux,
  lockdown,
  machine,
  modules,
  mounts,
  NETFILTER,
  podBelow,
  selinux,
  sysctl,
  ubuntu,
  uefi,
  virtio,
  WORKING
} from '../parts.ts'
import { device } from '../played.ts'

/** The images of Google's, Amazon's and Microsoft's Kubernetes. */

const cos = (version: string) =>
  distro({
    NAME: 'Container-Optimized OS',
    ID: 'cos',
    PRETTY_NAME: 'Container-Optimized OS from Google',
    VERSION: version,
    VERSION_ID: version,
    GOOGLE_CRASH_ID: 'Lakitu'
  })

const amazon = (version: string, like: string) =>
  distro({
    NAME: 'Amazon Linux',
    VERSION: version,
    ID: '"amzn"',
    ID_LIKE: `"${like}"`,
    VERSION_ID: `"${version}"`,
    PRETTY_NAME: `Amazon Linux ${version}`
  })

const bottlerocket = distro({
  NAME: 'Bottlerocket',
  ID: 'bottlerocket',
  VERSION: '1.44.0 (aws-k8s-1.33)',
  PRETTY_NAME: 'Bottlerocket OS 1.44.0 (aws-k8s-1.33)',
  VARIANT_ID: 'aws-k8s-1.33',
  VERSION_ID: '1.44.0',
  BUILD_ID: '6154605b'
})

/** GKE's Container-Optimized OS: the root is read-only, LoadPin holds modules to it. */
const cosTree = (release: string) => [
  linux(release, 'cros_efi module.sig_enforce=1 loadpin.exclude=kernel-module'),
  modules(release, { loaded: WORKING, builtin: ['fuse'], netfilter: NETFILTER.cos }),
  gce,
  virtio,
  uefi('off'),
  apparmor(),
  mounts(['/', 'ext4', 'ro,relatime'], ['/mnt/stateful_partition', 'ext4'], ['/var', 'ext4'], ['/var/lib/kubelet', 'ext4']),
  {
    '/usr/src': undefined,
    '/sys/kernel/security/lsm': 'lockdown,capability,yama,loadpin,safesetid,selinux,bpf,apparmor',
    '/sys/module/module/parameters/sig_enforce': 'Y\n'
  }
]

const bottlerocketTree = [
  linux('6.12.37', 'console=ttyS0 lockdown=integrity'),
  bottlerocket,
  modules('6.12.37', { loaded: WORKING, builtin: ['fuse'], packed: '.xz', netfilter: NETFILTER.bottlerocket }),
  ec2('m5.large'),
  virtio,
  uefi('on'),
  lockdown('integrity'),
  selinux(1),
  mounts(
    ['/', 'erofs', 'ro,relatime'],
    ['/etc', 'tmpfs'],
    ['/local', 'ext4'],
    ['/var', 'ext4'],
    ['/opt', 'ext4'],
    ['/usr/src/kernels', 'overlay']
  )
]
const bottlerocketNode = {
  name: 'bottlerocket',
  kubelet: 'v1.33.1-eks-b9364f6',
  image: 'Bottlerocket OS 1.44.0 (aws-k8s-1.33)',
  kernel: '6.12.37',
  runtime: 'containerd://2.0.5+bottlerocket',
  providerID: 'aws:///eu-west-1a/i-00000000000000000',
  handlers: ['', 'runc']
}

const cloudSize = { cpu: 'Intel Xeon Platinum 8259CL', cores: 4, memory: 16 }

export const clouds = {
  'gke-ubuntu-20.04': machine({
    about: 'GKE, Ubuntu image of 2022, kernel 5.4: only an old Sysbox starts there',
    source:
      'os-release and nodeInfo as GKE reports them; nestybox/sysbox-runc libcontainer/seccomp/seccomp_linux.go (from 0.6.3 on, kernel 5.7)',
    size: cloudSize,
    parts: [
      linux('5.4.0-1065-gke'),
      ubuntu('20.04', '20.04.4'),
      modules('5.4.0-1065-gke', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'] }),
      gce,
      virtio,
      uefi('off'),
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1 })
    ],
    node: kubeNode({
      name: 'gke-ubuntu-20',
      kubelet: 'v1.22.8-gke.201',
      image: 'Ubuntu 20.04.4 LTS',
      kernel: '5.4.0-1065-gke',
      runtime: 'containerd://1.5.2',
      providerID: 'gce://project/europe-west1-b/gke-ubuntu-20'
    }),
    expected: { cvm: 'unknown', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'gke-ubuntu-22.04': machine({
    about: 'GKE, Ubuntu image with shiftfs among its modules and a FUSE device plugin: CVMs, cached ones and Podman',
    source: 'nestybox/sysbox#831 (5.15.0-1061-gke had shiftfs); os-release and nodeInfo as GKE reports them',
    size: cloudSize,
    parts: [
      linux('5.15.0-1061-gke'),
      ubuntu('22.04', '22.04.4'),
      modules('5.15.0-1061-gke', { netfilter: NETFILTER.ubuntu, loaded: WORKING, loadable: ['shiftfs'], builtin: ['fuse'] }),
      gce,
      virtio,
      uefi('off'),
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1 })
    ],
    node: kubeNode({
      name: 'gke-ubuntu-22',
      kubelet: 'v1.28.9-gke.1000000',
      image: 'Ubuntu 22.04.4 LTS',
      kernel: '5.15.0-1061-gke',
      runtime: 'containerd://1.7.13',
      providerID: 'gce://project/europe-west1-b/gke-ubuntu-22',
      offers: { 'smarter-devices/fuse': '20' }
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'yes', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'gke-ubuntu-22.04-suspect': machine({
    about: 'GKE of early 2023, made from upstream 5.15.78, whose shiftfs loads and then fails on mkdir and rename',
    source: 'https://bugs.launchpad.net/bugs/1990849',
    size: cloudSize,
    parts: [
      linux('5.15.0-1028-gke'),
      ubuntu('22.04', '22.04.4'),
      modules('5.15.0-1028-gke', { netfilter: NETFILTER.ubuntu, loaded: WORKING, loadable: ['shiftfs'], builtin: ['fuse'] }),
      gce,
      virtio,
      uefi('off'),
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1 })
    ],
    node: kubeNode({
      name: 'gke-ubuntu-22',
      kubelet: 'v1.25.8-gke.500',
      image: 'Ubuntu 22.04.4 LTS',
      kernel: '5.15.0-1028-gke',
      runtime: 'containerd://1.7.13',
      providerID: 'gce://project/europe-west1-b/gke-ubuntu-22',
      offers: { 'smarter-devices/fuse': '20' }
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'unknown', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'gke-cos-5.15': machine({
    about: 'GKE, Container-Optimized OS, kernel 5.15',
    source: 'os-release and nodeInfo as GKE reports them; linux security/loadpin/loadpin.c',
    size: cloudSize,
    parts: [...cosTree('5.15.146+'), cos('105')],
    node: kubeNode({
      name: 'gke-cos-105',
      kubelet: 'v1.27.11-gke.1062003',
      image: 'Container-Optimized OS from Google',
      kernel: '5.15.146+',
      runtime: 'containerd://1.7.10',
      providerID: 'gce://project/europe-west1-b/gke-cos-105'
    }),
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'gke-cos-6.6': machine({
    about: 'GKE, Container-Optimized OS, kernel 6.6, with a FUSE device plugin: no CVM, and Podman works',
    source: 'os-release and nodeInfo as GKE reports them; linux security/loadpin/loadpin.c',
    size: cloudSize,
    parts: [...cosTree('6.6.72+'), cos('117')],
    node: kubeNode({
      name: 'gke-cos-117',
      kubelet: 'v1.32.4-gke.1106000',
      image: 'Container-Optimized OS from Google',
      kernel: '6.6.72+',
      runtime: 'containerd://1.7.24',
      providerID: 'gce://project/europe-west1-b/gke-cos-117',
      handlers: ['', 'runc'],
      offers: { 'github.com/fuse': '5000' }
    }),
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'eks-al2': machine({
    about: 'EKS, Amazon Linux 2, kernel 5.10: plain CVMs only, as its documents say',
    source: "os-release and nodeInfo as EKS reports them; Coder's documents on AWS (Amazon Linux 2)",
    size: cloudSize,
    parts: [
      linux('5.10.237-230.948.amzn2.x86_64'),
      amazon('2', 'centos rhel fedora'),
      modules('5.10.237-230.948.amzn2.x86_64', { netfilter: NETFILTER.amazon, loaded: WORKING, loadable: ['fuse'], builtin: [] }),
      ec2('m5.large'),
      virtio,
      mounts(['/', 'xfs']),
      { '/sys/kernel/security/lsm': 'lockdown,capability,yama,bpf' }
    ],
    node: kubeNode({
      name: 'eks-al2',
      kubelet: 'v1.32.3-eks-473151a',
      image: 'Amazon Linux 2',
      kernel: '5.10.237-230.948.amzn2.x86_64',
      runtime: 'containerd://1.7.27',
      providerID: 'aws:///eu-west-1a/i-00000000000000000',
      handlers: ['', 'runc']
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'eks-al2023': machine({
    about: 'EKS, Amazon Linux 2023, kernel 6.1, SELinux permissive, with a FUSE device plugin',
    source: 'os-release and nodeInfo as EKS reports them; squat/generic-device-plugin (squat.ai/fuse)',
    size: cloudSize,
    parts: [
      linux('6.1.115-126.197.amzn2023.x86_64', 'selinux=1 security=selinux'),
      amazon('2023', 'fedora'),
      modules('6.1.115-126.197.amzn2023.x86_64', {
        netfilter: NETFILTER.amazon,
        loaded: WORKING,
        loadable: ['fuse'],
        packed: '.xz'
      }),
      ec2('m5.large'),
      virtio,
      uefi('off'),
      selinux(0),
      mounts(['/', 'xfs'])
    ],
    node: kubeNode({
      name: 'eks-al2023',
      kubelet: 'v1.30.6-eks-94953ac',
      image: 'Amazon Linux 2023.6.20241111',
      kernel: '6.1.115-126.197.amzn2023.x86_64',
      runtime: 'containerd://1.7.23',
      providerID: 'aws:///eu-west-1a/i-00000000000000000',
      handlers: ['', 'runc'],
      offers: { 'squat.ai/fuse': '110' }
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'eks-graviton': machine({
    about: 'EKS, Amazon Linux 2023 on a Graviton processor (arm64), no Node object: no processor flag tells that it is virtual',
    source:
      'nestybox/sysbox docs/distro-compat.md v0.7.0 (arm64); os-release and nodeInfo as EKS reports them; systemd/systemd src/basic/virt.c',
    arch: 'arm64',
    size: { cpu: 'Neoverse-V1', cores: 4, memory: 8 },
    parts: [
      linux('6.12.40-63.114.amzn2023.aarch64', 'selinux=1 security=selinux'),
      amazon('2023', 'fedora'),
      modules('6.12.40-63.114.amzn2023.aarch64', {
        netfilter: NETFILTER.amazon,
        loaded: WORKING,
        loadable: ['fuse'],
        packed: '.xz'
      }),
      armCpu,
      dmi('Amazon EC2', 'c7g.xlarge', { product_version: '' }),
      virtio,
      uefi('off'),
      selinux(0),
      mounts(['/', 'xfs'])
    ],
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'eks-ubuntu-20.04': machine({
    about: 'EKS, Ubuntu 20.04 with the 5.15 kernel of 22.04 and complete headers: shiftfs could be built',
    source: 'toby63/shiftfs-dkms README.md; kernel 5.15.0-1084-aws as /proc/version has it',
    size: cloudSize,
    parts: [
      linux('5.15.0-1084-aws'),
      ubuntu('20.04', '20.04.6'),
      modules('5.15.0-1084-aws', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'] }),
      headers('5.15.0-1084-aws', '/usr/src/linux-headers-5.15.0-1084-aws', [IDMAPPED]),
      ec2('m5.large'),
      virtio,
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1 })
    ],
    node: kubeNode({
      name: 'eks-ubuntu-20',
      kubelet: 'v1.29.15-eks-473151a',
      image: 'Ubuntu 20.04.6 LTS',
      kernel: '5.15.0-1084-aws',
      runtime: 'containerd://1.7.12',
      providerID: 'aws:///eu-west-1a/i-00000000000000000'
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'eks-ubuntu-22.04': machine({
    about: 'EKS, Ubuntu 22.04, the 5.15 kernel without is_idmapped_mnt: shiftfs does not compile there',
    source: 'toby63/shiftfs-dkms README.md; headers of linux-aws 5.15.0-1017',
    size: cloudSize,
    parts: [
      linux('5.15.0-1017-aws'),
      ubuntu('22.04', '22.04.1'),
      modules('5.15.0-1017-aws', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'] }),
      headers('5.15.0-1017-aws', '/usr/src/linux-headers-5.15.0-1017-aws', []),
      ec2('m5.large'),
      virtio,
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1 })
    ],
    node: kubeNode({
      name: 'eks-ubuntu-22',
      kubelet: 'v1.29.15-eks-473151a',
      image: 'Ubuntu 22.04.1 LTS',
      kernel: '5.15.0-1017-aws',
      runtime: 'containerd://1.7.12',
      providerID: 'aws:///eu-west-1a/i-00000000000000000',
      offers: { 'github.com/fuse': '5000' }
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'bottlerocket-fresh': machine({
    about: 'Bottlerocket as it starts: no user namespaces at all',
    source:
      'bottlerocket-os/bottlerocket-core-kit packages (release, selinux-policy); os-release and nodeInfo as EKS reports them',
    size: cloudSize,
    parts: [...bottlerocketTree, sysctl({ 'user.max_user_namespaces': 0 })],
    node: kubeNode({ ...bottlerocketNode, offers: { 'smarter-devices/fuse': '20' } }),
    expected: { cvm: 'no', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'bottlerocket-raised': machine({
    about: 'Bottlerocket with the limit raised and a FUSE device plugin: Podman works although SELinux enforces',
    source: 'bottlerocket-os/bottlerocket-core-kit packages/selinux-policy; os-release and nodeInfo as EKS reports them',
    size: cloudSize,
    parts: [...bottlerocketTree, sysctl({ 'user.max_user_namespaces': 65_536 })],
    node: kubeNode({ ...bottlerocketNode, offers: { 'smarter-devices/fuse': '20' } }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'bottlerocket-no-plugin': machine({
    about: 'Bottlerocket with the limit raised, and nobody offers FUSE to pods',
    source:
      'bottlerocket-os/bottlerocket-core-kit packages/release; https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/',
    size: cloudSize,
    parts: [...bottlerocketTree, sysctl({ 'user.max_user_namespaces': 65_536 })],
    node: kubeNode(bottlerocketNode),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'bottlerocket-auto': machine({
    about:
      'EKS Auto Mode, Bottlerocket 2026.8.3, its limits raised by a privileged pod: Envbox ran there, and no FUSE is offered',
    source: 'https://github.com/coder/envbox/pull/176 (deploy/plat-370-experiments)',
    size: cloudSize,
    parts: [
      ...bottlerocketTree,
      linux('6.18.38', 'console=ttyS0 lockdown=integrity'),
      distro({
        NAME: 'Bottlerocket',
        ID: 'bottlerocket',
        VERSION: '"2026.8.3 (aws-k8s-1.36-standard)"',
        PRETTY_NAME: '"Bottlerocket (EKS Auto, Standard) 2026.8.3 (aws-k8s-1.36-standard)"',
        VARIANT_ID: 'aws-k8s-1.36-standard',
        VERSION_ID: '2026.8.3'
      }),
      modules('6.18.38', { loaded: WORKING, builtin: ['fuse'], packed: '.xz', netfilter: NETFILTER.bottlerocket }),
      ec2('m6i.large'),
      uefi('on'),
      lockdown('integrity'),
      selinux(1),
      mounts(['/', 'erofs', 'ro,relatime'], ['/local', 'xfs'], ['/var', 'xfs'], ['/opt', 'xfs'], podBelow('/var/lib/kubelet')),
      sysctl({ 'user.max_user_namespaces': 65_536, 'user.max_mnt_namespaces': 20_000, 'user.max_pid_namespaces': 20_000 })
    ],
    node: kubeNode({
      name: 'bottlerocket-auto',
      kubelet: 'v1.36.1-eks-a3a0722',
      image: 'Bottlerocket (EKS Auto, Standard) 2026.8.3 (aws-k8s-1.36-standard)',
      kernel: '6.18.38',
      runtime: 'containerd://2.2.5+bottlerocket',
      providerID: 'aws:///us-east-2b/i-00000000000000000',
      handlers: ['', 'runc'],
      labels: { 'eks.amazonaws.com/compute-type': 'auto' }
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'bottlerocket-old-kernel': machine({
    about: 'Bottlerocket with kernel 6.1, its limit raised: nobody has tried Sysbox there',
    source: 'https://github.com/coder/envbox/pull/176, which tried kernel 6.18 only',
    parts: [
      ...bottlerocketTree,
      linux('6.1.115', 'console=ttyS0 lockdown=integrity'),
      modules('6.1.115', { loaded: WORKING, builtin: ['fuse'], packed: '.xz', netfilter: NETFILTER.bottlerocket }),
      lockdown('integrity'),
      selinux(1),
      mounts(['/', 'erofs', 'ro,relatime'], ['/local', 'ext4'], ['/var', 'ext4'], ['/opt', 'ext4']),
      sysctl({ 'user.max_user_namespaces': 65_536 })
    ],
    expected: { cvm: 'unknown', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),

  'aks-ubuntu-18.04': machine({
    about: 'AKS, Ubuntu 18.04, kernel 5.4',
    source: 'gitpod-io/gitpod#14005 (no shiftfs on AKS); os-release and nodeInfo as AKS reports them',
    size: cloudSize,
    parts: [
      linux('5.4.0-1090-azure'),
      ubuntu('18.04', '18.04.6'),
      modules('5.4.0-1090-azure', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'] }),
      azure,
      virtio,
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1 })
    ],
    node: kubeNode({
      name: 'aks-ubuntu-18',
      kubelet: 'v1.24.3',
      image: 'Ubuntu 18.04.6 LTS',
      kernel: '5.4.0-1090-azure',
      runtime: 'containerd://1.6.4+azure-4'
    }),
    expected: { cvm: 'unknown', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  }),
  'aks-ubuntu-22.04': machine({
    about: 'AKS, Ubuntu 22.04, kernel 5.15, with a FUSE device plugin',
    source: 'gitpod-io/gitpod#14005 (no shiftfs on AKS); os-release and nodeInfo as AKS reports them',
    size: cloudSize,
    parts: [
      linux('5.15.0-1102-azure'),
      ubuntu('22.04', '22.04.5'),
      modules('5.15.0-1102-azure', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'] }),
      azure,
      virtio,
      uefi('off'),
      apparmor(),
      sysctl({ 'kernel.unprivileged_userns_clone': 1 })
    ],
    node: kubeNode({
      name: 'aks-ubuntu-22',
      kubelet: 'v1.34.2',
      image: 'Ubuntu 22.04.5 LTS',
      kernel: '5.15.0-1102-azure',
      runtime: 'containerd://1.7.30-1',
      handlers: ['', 'runc'],
      offers: { 'smarter-devices/fuse': '20' }
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'yes', sysbox: 'no' }
  }),
  'aks-ubuntu-24.04': machine({
    about: 'AKS, Ubuntu 24.04 with Secure Boot: AppArmor restricts user namespaces, and a profile named podman may lift that',
    source:
      'https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces; os-release and nodeInfo as AKS reports them',
    size: cloudSize,
    parts: [
      linux('6.8.0-1052-azure'),
      ubuntu('24.04', '24.04.4'),
      modules('6.8.0-1052-azure', { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      azure,
      virtio,
      uefi('on'),
      lockdown('integrity'),
      apparmor('podman (unconfined)', 'unprivileged_userns (enforce)'),
      sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 1 }),
      { '/sys/module/module/parameters/sig_enforce': 'Y\n' }
    ],
    node: kubeNode({
      name: 'aks-ubuntu-24',
      kubelet: 'v1.34.7',
      image: 'Ubuntu 24.04.4 LTS',
      kernel: '6.8.0-1052-azure',
      runtime: 'containerd://2.1.6-2',
      handlers: ['', 'runc'],
      offers: { 'smarter-devices/fuse': '20' }
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'unknown', sysbox: 'no' }
  }),
  'aks-azure-linux-3': machine({
    about: 'AKS, Azure Linux 3, where /dev/fuse has the mode 0600 that devtmpfs gives it',
    source:
      'os-release and nodeInfo as AKS reports them; measured with Podman 4.3 and 5.4 in an unprivileged pod (the runtime copies the mode of /dev/fuse)',
    size: cloudSize,
    parts: [
      linux('6.6.150.1-1.azl3'),
      distro({
        NAME: 'Microsoft Azure Linux',
        VERSION: '3.0.20241005',
        ID: 'azurelinux',
        VERSION_ID: '"3.0"',
        PRETTY_NAME: 'Microsoft Azure Linux 3.0'
      }),
      modules('6.6.150.1-1.azl3', { netfilter: NETFILTER.azureLinux, loaded: WORKING, loadable: ['fuse'] }),
      azure,
      virtio,
      uefi('off'),
      { '/dev/fuse': device('10:229', 0o600) }
    ],
    node: kubeNode({
      name: 'aks-azure-linux',
      kubelet: 'v1.35.8',
      image: 'Microsoft Azure Linux 3.0',
      kernel: '6.6.150.1-1.azl3',
      runtime: 'containerd://2.2.4',
      handlers: ['', 'runc'],
      offers: { 'smarter-devices/fuse': '20' }
    }),
    expected: { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  })
} as const
