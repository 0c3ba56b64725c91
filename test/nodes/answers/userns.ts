import type { Answer } from '../../../src/verdicts/verdict.ts'

/** Nodes on which no pod with `hostUsers: false` starts, by what prevents it. */
const NO: Readonly<Record<string, readonly string[]>> = {
  'kernel below 5.19, and not 5.14 of EL 9': [
    'aks-ubuntu-18.04',
    'aks-ubuntu-22.04',
    'amd-instinct',
    'cloud-hypervisor-arm',
    'debian-11-headers',
    'debian-11-no-headers',
    'debian-11-old-headers',
    'dell-a100',
    'dell-a100-mig',
    'dell-a100-mig-mixed',
    'dell-a100-no-node',
    'dell-a100-no-plugin',
    'dell-a100-operator',
    'dell-a100-upgraded',
    'ec2-metal-t4',
    'eks-al2',
    'eks-ubuntu-20.04',
    'eks-ubuntu-22.04',
    'gke-cos-5.15',
    'gke-ubuntu-20.04',
    'gke-ubuntu-22.04',
    'gke-ubuntu-22.04-suspect',
    'google-metal-h100',
    'gpu-no-driver',
    'gpu-unreadable-driver',
    'hetzner-arm',
    'jetson-orin',
    'nouveau',
    'nvidia-audio',
    'oracle-metal-a100',
    'rocky-8',
    'tencent-arm',
    'ubuntu-22.04-lockdown',
    'ubuntu-22.04-shiftfs',
    'ubuntu-22.04-suspect',
    'userns-5.15',
    'vfio',
    'vultr-a100'
  ],
  'user.max_user_namespaces is 0': ['bottlerocket-fresh', 'hardened-sysctls', 'talos', 'userns-sysctl'],
  "the kubelet's root cannot be ID-mapped": [
    'kubelet-on-nfs',
    'kubelet-on-overlay',
    'root-dir-on-nfs',
    'userns-on-nfs',
    'userns-on-overlay'
  ],
  'something is mounted over /proc/cmdline': ['sysbox-covered-proc'],
  'the runtime handler reports no support': ['userns-old-runc'],
  'the kubelet runs in a user namespace': ['userns-rootless']
}

/** A Node of Kubernetes 1.33 or newer whose default handler supports it, kernel 6.3 or newer, and a disk that can be ID-mapped. */
const YES: readonly string[] = [
  'aks-azure-linux-3',
  'aks-ubuntu-24.04',
  'bottlerocket-auto',
  'bottlerocket-no-plugin',
  'bottlerocket-raised',
  'sysbox-data-moved',
  'sysbox-data-on-nfs',
  'sysbox-half-dead',
  'sysbox-hidepid',
  'sysbox-label-only',
  'sysbox-legacy-iptables',
  'sysbox-no-conntrack',
  'sysbox-of-a-package',
  'sysbox-of-no-version',
  'sysbox-old-on-containerd-2',
  'sysbox-pid-reused',
  'sysbox-running',
  'sysbox-tainted',
  'userns-1.33',
  // Kernel 6.8, Kubernetes 1.33 or newer, and handlers that report it.
  ...['kvm-arm64', 'kvm-hidden-modules', 'kvm-kata', 'kvm-not-nested', 'kvm-not-offered', 'kvm-offered', 'kvm-pvm'],
  ...['kvm-two-modules', 'kvm-wrong-device'],
  'userns-1.37',
  'userns-on-tmpfs'
]

/**
 * All others are unknown: no Node object was recorded, or it reports no features of its handlers, the kernel is 5.19 to 6.2 or 5.14 of EL
 * 9, the kubelet is older than 1.33, or its root is on a file system that only a trial can judge (zfs).
 */
export function usernsAnswer(machine: string): Answer {
  if (YES.includes(machine)) return 'yes'
  return Object.values(NO).flat().includes(machine) ? 'no' : 'unknown'
}
