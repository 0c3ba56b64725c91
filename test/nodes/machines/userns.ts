import {
  apparmor,
  kubeNode,
  kvm,
  linux,
  type Mount,
  machine,
  modules,
  mounts,
  NETFILTER,
  podBelow,
  selinux,
  sysctl,
  ubuntu,
  virtio,
  WORKING
} from '../parts.ts'
import { el } from './plain.ts'

/** Nodes on which pods with `hostUsers: false` start, or do not. */

const NEW = '6.8.0-45-generic'

interface Draft {
  readonly about: string
  readonly source: string
  readonly release?: string
  readonly disk?: readonly Mount[]
  readonly sysctls?: Readonly<Record<string, number>>
  readonly node?: Partial<Parameters<typeof kubeNode>[0]>
  readonly reportsHandlers?: boolean
  readonly cvm?: 'yes' | 'no' | 'unknown'
}

/** Ubuntu 24.04 with Kubernetes 1.33 and containerd 2.1, but for these changes. */
const noble = ({
  about,
  source,
  release = NEW,
  disk = [['/', 'ext4']],
  sysctls = {},
  node = {},
  cvm = 'yes',
  reportsHandlers = true
}: Draft) =>
  machine({
    about,
    source,
    parts: [
      linux(release),
      ubuntu('24.04', '24.04.1'),
      modules(release, { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
      kvm,
      virtio,
      apparmor('unprivileged_userns (enforce)'),
      sysctl({ 'kernel.unprivileged_userns_clone': 1, 'kernel.apparmor_restrict_unprivileged_userns': 1, ...sysctls }),
      mounts(...disk, podBelow('/var/lib/kubelet'))
    ],
    node: kubeNode({
      name: 'noble',
      kubelet: 'v1.33.4',
      image: 'Ubuntu 24.04.1 LTS',
      kernel: release,
      runtime: 'containerd://2.1.4',
      ...(reportsHandlers ? { handlers: ['', 'runc'] } : {}),
      ...node
    }),
    expected: { cvm, 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  })

const KUBELET = 'kubernetes pkg/kubelet/userns/userns_manager.go'
const IDMAP = 'linux fs/namespace.c can_idmap_mount and FS_ALLOW_IDMAP'

export const usernsNodes = {
  'userns-1.33': noble({
    about:
      'Kubernetes 1.33, containerd 2.1 and kernel 6.8: pods with hostUsers: false start, whatever AppArmor forbids ordinary users',
    source:
      'measured with Kubernetes 1.36, containerd 2.4 and kernel 6.18; https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/'
  }),
  'userns-1.37': noble({
    about: 'A kubelet 1.37 that reports that it runs in no user namespace; kernel.unprivileged_userns_clone=0 does not stop root',
    source: 'kubernetes staging/src/k8s.io/api/core/v1/types.go (NodeSystemInfo, 1.37)',
    sysctls: { 'kernel.unprivileged_userns_clone': 0 },
    node: { kubelet: 'v1.37.2', runtime: 'containerd://2.4.2', inUserNamespace: false },
    cvm: 'no'
  }),
  'userns-rootless': noble({
    about: 'A kubelet 1.37 that runs in a user namespace itself',
    source: 'kubernetes staging/src/k8s.io/api/core/v1/types.go (NodeSystemInfo, 1.37)',
    node: { kubelet: 'v1.37.2', runtime: 'containerd://2.4.2', inUserNamespace: true }
  }),
  'userns-sysctl': noble({
    about: 'user.max_user_namespaces=0: the runtime handlers go on reporting user namespaces, and no such pod starts',
    source: 'measured with Kubernetes 1.36, containerd 2.4 and kernel 6.18',
    sysctls: { 'user.max_user_namespaces': 0 },
    cvm: 'no'
  }),
  'userns-old-runc': noble({
    about: 'containerd 2 with a runc before 1.2: its handlers report that they do not support user namespaces',
    source: KUBELET,
    node: { features: { recursiveReadOnlyMounts: true, userNamespaces: false } }
  }),
  'userns-unreported': noble({
    about: 'A Node whose handlers report no userNamespaces at all',
    source: 'kubernetes pkg/kubelet/nodestatus/setters.go (RuntimeHandlers)',
    node: { features: { recursiveReadOnlyMounts: true } }
  }),
  'userns-containerd-1.7': noble({
    about: 'containerd 1.7, which reports no runtime handlers, with a kubelet 1.33',
    source: 'kubernetes pkg/kubelet/nodestatus/setters.go (RuntimeHandlers)',
    node: { runtime: 'containerd://1.7.27' },
    reportsHandlers: false
  }),
  'userns-1.32': noble({
    about: 'A kubelet 1.32, where the feature gate UserNamespacesSupport is off unless somebody turned it on',
    source: 'https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/ (UserNamespacesSupport)',
    node: { kubelet: 'v1.32.9' }
  }),
  'userns-6.1': noble({
    about: 'Kernel 6.1, which ID-maps disks and not a tmpfs, on which the token of a pod is',
    source: 'linux mm/shmem.c (FS_ALLOW_IDMAP, 6.3)',
    release: '6.1.0-28-cloud-amd64'
  }),
  'userns-5.15': noble({
    about: 'Kernel 5.15, which cannot ID-map the layers of an image',
    source: 'linux fs/overlayfs (ID-mapped layers, 5.19)',
    release: '5.15.0-91-generic'
  }),
  'userns-on-zfs': noble({
    about: "The kubelet's root on ZFS: nobody knows until a mount was tried",
    source: IDMAP,
    disk: [
      ['/', 'ext4'],
      ['/var/lib/kubelet', 'zfs']
    ],
    cvm: 'unknown'
  }),
  'userns-on-nfs': noble({
    about: "The kubelet's root on NFS, which cannot be ID-mapped",
    source: IDMAP,
    disk: [
      ['/', 'ext4'],
      ['/var/lib/kubelet', 'nfs4']
    ],
    cvm: 'no'
  }),
  'userns-on-overlay': noble({
    about: 'A node that is itself a container, with the kubelet on its overlay',
    source: IDMAP,
    disk: [['/', 'overlay']],
    cvm: 'no'
  }),
  'userns-on-tmpfs': noble({
    about: 'A node that keeps everything in memory: such pods start on a tmpfs from kernel 6.3 on, and CVMs do not',
    source: 'measured with Kubernetes 1.36, containerd 2.4 and kernel 6.18, with everything on tmpfs',
    disk: [['/', 'tmpfs']],
    cvm: 'no'
  }),
  'userns-el9': machine({
    about: 'Rocky Linux 9 with Kubernetes 1.33: whether its 5.14 kernel can ID-map a tmpfs only a trial tells',
    source: 'https://bugzilla.redhat.com/2018141 (ID-mapped mounts disabled)',
    parts: [
      linux('5.14.0-570.12.1.el9_6.x86_64'),
      el('rocky', 'Rocky Linux', '9.6', 'rhel centos fedora'),
      modules('5.14.0-570.12.1.el9_6.x86_64', { netfilter: NETFILTER.el, loaded: WORKING, loadable: ['fuse'], packed: '.xz' }),
      kvm,
      virtio,
      selinux(0),
      mounts(['/', 'xfs'], podBelow('/var/lib/kubelet'))
    ],
    node: kubeNode({
      name: 'userns-el9',
      kubelet: 'v1.33.4',
      image: 'Rocky Linux 9.6 (Blue Onyx)',
      kernel: '5.14.0-570.12.1.el9_6.x86_64',
      runtime: 'containerd://2.1.4',
      handlers: ['', 'runc']
    }),
    expected: { cvm: 'unknown', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no', sysbox: 'no' }
  })
} as const
