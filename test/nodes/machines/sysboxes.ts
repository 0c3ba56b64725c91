import {
  apparmor,
  hidepid,
  kubeNode,
  kvm,
  linux,
  machine,
  modules,
  mounts,
  NETFILTER,
  sysbox,
  sysctl,
  ubuntu,
  virtio,
  WORKING
} from '../parts.ts'
import { directory } from '../played.ts'

/** Nodes with Sysbox installed on them, in health and not. */

const REL = '6.8.0-45-generic'
const host = [
  linux(REL),
  ubuntu('22.04', '22.04.5'),
  modules(REL, { netfilter: NETFILTER.ubuntu, loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
  kvm,
  virtio,
  apparmor(),
  sysctl({ 'kernel.unprivileged_userns_clone': 1 }),
  sysbox
]
const node = {
  name: 'sysbox',
  kubelet: 'v1.33.2',
  image: 'Ubuntu 22.04.5 LTS',
  kernel: REL,
  runtime: 'containerd://2.0.5',
  handlers: ['', 'runc', 'sysbox-runc'],
  labels: { 'sysbox-install': 'yes', 'sysbox-runtime': 'running' }
}
const expected = { cvm: 'yes', 'cached-cvm': 'no', gpu: 'no', 'gpu-cvm': 'no', podman: 'no' } as const

export const sysboxes = {
  'sysbox-running': machine({
    about: 'Sysbox on containerd, in health',
    source: 'nestybox/sysbox docs/user-guide/install-k8s.md v0.7.0; nestybox/sysbox-libs (sockets and pid files)',
    parts: host,
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'yes' }
  }),
  'sysbox-cri-o': machine({
    about: 'Sysbox on the CRI-O that its installer puts on older clusters: the label stands for the handler',
    source: 'nestybox/sysbox docs/user-guide/install-k8s.md (CRI-O); nestybox/sysbox-pkgr k8s/scripts',
    parts: host,
    node: kubeNode({ ...omitHandlers(), runtime: 'cri-o://1.28.4', kubelet: 'v1.28.9' }),
    expected: { ...expected, podman: 'yes', sysbox: 'yes' }
  }),
  'sysbox-tainted': machine({
    about: 'Sysbox while its installer is at work',
    source: 'nestybox/sysbox-pkgr k8s/scripts',
    parts: host,
    node: kubeNode({
      ...node,
      labels: { 'sysbox-install': 'yes', 'sysbox-runtime': 'installing' },
      taints: [{ key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' }]
    }),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-half-dead': machine({
    about: 'Sysbox whose file system daemon is gone',
    source: 'nestybox/sysbox-libs (sockets and pid files)',
    parts: [...host, { '/sys/fs/cgroup/system.slice/sysbox-fs.service': undefined, '/proc/1436': undefined }],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-pid-reused': machine({
    about: 'Sysbox whose manager was killed: socket and pid file are left, its unit is empty, and another process has the number',
    source: 'nestybox/sysbox-libs (sockets and pid files)',
    parts: [...host, { '/sys/fs/cgroup/system.slice/sysbox-mgr.service/cgroup.procs': '', '/proc/1412/comm': 'sshd\n' }],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-no-conntrack': machine({
    about: 'Sysbox with healthy daemons and nf_conntrack not loaded: no container starts',
    source: 'measured with Sysbox 0.7.0 on Debian kernels 5.10, 6.1 and 6.12: without nf_conntrack no container starts',
    parts: [
      ...host,
      modules(REL, {
        netfilter: NETFILTER.ubuntu,
        loaded: WORKING.filter(name => name !== 'nf_conntrack'),
        loadable: ['nf_conntrack'],
        builtin: ['fuse'],
        packed: '.zst'
      }),
      { '/sys/module/nf_conntrack': undefined }
    ],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-old-on-containerd-2': machine({
    about: 'Sysbox 0.7.0 under containerd 2.x: handler and daemons are there, and no pod starts',
    source: 'nestybox/sysbox#1006, #1013, #1024 (0.7.0 starts no pods under containerd 2.x)',
    parts: [...host, { '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': 'v0.7.0\n' }],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-of-no-version': machine({
    about: 'Sysbox built by hand under containerd 2.x: nothing tells its version',
    source: 'nestybox/sysbox docs/user-guide/install-k8s.md v0.7.0',
    parts: [...host, { '/var/lib/sysbox-deploy-k8s': undefined }],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'unknown' }
  }),
  'sysbox-of-a-package': machine({
    about: 'Sysbox 0.6.7 of its Debian package under containerd 1.7',
    source: 'nestybox/sysbox releases (0.6.7); nestybox/sysbox-pkgr deb',
    parts: [
      ...host,
      {
        '/var/lib/sysbox-deploy-k8s': undefined,
        '/var/lib/dpkg/status':
          'Package: bash\nStatus: install ok installed\nVersion: 5.1-6ubuntu1.1\n\nPackage: sysbox-ce\nStatus: install ok installed\nVersion: 0.6.7-0.linux\n'
      }
    ],
    node: kubeNode({ ...node, runtime: 'containerd://1.7.27' }),
    expected: { ...expected, sysbox: 'yes' }
  }),
  'sysbox-docker-host': machine({
    about: 'A host with Docker and no Kubernetes, where the package of Sysbox has made sysbox-runc a runtime of Docker',
    source: 'nestybox/sysbox docs/user-guide/install-package.md',
    parts: [
      ...host,
      {
        '/var/lib/kubelet': undefined,
        '/var/lib/sysbox-deploy-k8s': undefined,
        '/etc/docker/daemon.json': '{"runtimes":{"sysbox-runc":{}}}\n'
      }
    ],
    expected: { ...expected, podman: 'yes', sysbox: 'unknown' }
  }),
  'sysbox-hidepid': machine({
    about:
      "Sysbox that no systemd started, on a node that hides other users' processes (hidepid=2), so only root sees its daemons",
    source: 'proc(5) (hidepid)',
    parts: [...host, hidepid, { '/sys/fs/cgroup/system.slice': undefined }],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'yes' },
    expectedAsUser: { answers: { sysbox: 'unknown' }, because: 'processes of other users are hidden (hidepid)' }
  }),
  'sysbox-covered-proc': machine({
    about: 'Sysbox on a node with a mount over /proc/cmdline, so that no container can mount a procfs of its own',
    source: 'linux fs/namespace.c mount_too_revealing: a procfs can be mounted only where nothing covers the one that is there',
    parts: [...host, mounts(['/', 'ext4'], ['/proc/cmdline', 'tmpfs'])],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-label-only': machine({
    about: 'The label sysbox-runtime=running is left on a CRI-O node that reports other handlers',
    source: 'nestybox/sysbox docs/user-guide/install-k8s.md v0.7.0',
    parts: host,
    node: kubeNode({ ...node, runtime: 'cri-o://1.33.4', handlers: ['', 'runc'] }),
    expected: { ...expected, podman: 'yes', sysbox: 'no' }
  }),
  'sysbox-legacy-iptables': machine({
    about: 'Sysbox on a kernel with iptables-legacy only, loaded: the image of the workspace brings its own iptables',
    source: 'measured with iptables 1.8.7 in a user namespace on Debian kernels 6.1 and 6.12: it can have no ip_tables loaded',
    parts: [
      ...host,
      modules(REL, {
        loaded: WORKING.filter(name => name !== 'nf_tables'),
        builtin: ['fuse'],
        netfilter: NETFILTER.tegra,
        packed: '.zst'
      }),
      { '/sys/module/nf_tables': undefined }
    ],
    node: kubeNode(node),
    expected: { ...expected, cvm: 'no', sysbox: 'yes' }
  }),
  'sysbox-data-on-nfs': machine({
    about: 'Sysbox whose unit was given another data root, on a file server',
    source: 'nestybox/sysbox docs/user-guide/configuration.md (data store configuration)',
    parts: [
      ...host,
      mounts(['/', 'ext4'], ['/mnt/data', 'nfs4']),
      {
        '/usr/lib/systemd/system/sysbox-mgr.service': '[Service]\nExecStart=/usr/bin/sysbox-mgr --data-root=/mnt/data/sysbox\n',
        '/mnt/data/sysbox': directory
      }
    ],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-data-moved': machine({
    about: 'Sysbox on a node that runs in memory, with its data root moved to a local disk by a drop-in of its unit',
    source: 'nestybox/sysbox docs/user-guide/configuration.md (data store configuration); systemd.unit(5)',
    parts: [
      ...host,
      mounts(['/', 'tmpfs'], ['/mnt/nvme', 'xfs'], ['/var/lib/kubelet', 'xfs']),
      {
        '/usr/lib/systemd/system/sysbox-mgr.service': '[Service]\nExecStart=/usr/bin/sysbox-mgr --disable-inner-image-preload\n',
        '/etc/systemd/system/sysbox-mgr.service.d/data.conf':
          '[Service]\nExecStart=\nExecStart=/usr/bin/sysbox-mgr --disable-inner-image-preload \\\n  --data-root /mnt/nvme/sysbox\n',
        '/mnt/nvme/sysbox': directory
      }
    ],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'yes' }
  }),
  'sysbox-no-node': machine({
    about: 'Sysbox installed, looked at without a cluster: whether the kubelet knows it is not known',
    source: 'nestybox/sysbox docs/user-guide/install-k8s.md v0.7.0',
    parts: host,
    expected: { ...expected, podman: 'yes', sysbox: 'unknown' }
  })
} as const

/** A kubelet before 1.30 does not report its runtime handlers. */
function omitHandlers() {
  const { handlers: _, ...rest } = node
  return rest
}
