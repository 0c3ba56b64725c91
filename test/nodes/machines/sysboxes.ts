import { apparmor, kubeNode, kvm, linux, machine, modules, sysbox, sysctl, ubuntu, virtio, WORKING } from '../parts.ts'

/** Nodes with Sysbox installed on them, in health and not. */

const REL = '6.8.0-45-generic'
const host = [
  linux(REL),
  ubuntu('22.04', '22.04.5'),
  modules(REL, { loaded: WORKING, builtin: ['fuse'], packed: '.zst' }),
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
    source: 'sysbox-and-shiftfs.md 2.3, 1.4; rules.md sysbox',
    parts: host,
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'yes' }
  }),
  'sysbox-cri-o': machine({
    about: 'Sysbox on the CRI-O that its installer puts on older clusters: the label stands for the handler',
    source: 'sysbox-and-shiftfs.md 1.4, 4',
    parts: host,
    node: kubeNode({ ...omitHandlers(), runtime: 'cri-o://1.28.4', kubelet: 'v1.28.9' }),
    expected: { ...expected, sysbox: 'yes' }
  }),
  'sysbox-tainted': machine({
    about: 'Sysbox while its installer is at work',
    source: 'sysbox-and-shiftfs.md 4',
    parts: host,
    node: kubeNode({
      ...node,
      labels: { 'sysbox-install': 'yes', 'sysbox-runtime': 'installing' },
      taints: [{ key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' }]
    }),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-half-dead': machine({
    about: 'Sysbox whose file system daemon is gone, socket and all',
    source: 'sysbox-and-shiftfs.md 2.3',
    parts: [...host, { '/run/sysbox/sysfs.sock': undefined, '/run/sysbox/sysfs.pid': undefined, '/proc/1436': undefined }],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-pid-reused': machine({
    about: 'Sysbox whose manager was killed: socket and pid file are left, and another process has the number',
    source: 'sysbox-and-shiftfs.md 2.3 (the pids live)',
    parts: [...host, { '/proc/1412/comm': 'sshd\n' }],
    node: kubeNode(node),
    expected: { ...expected, sysbox: 'no' }
  }),
  'sysbox-no-conntrack': machine({
    about: 'Sysbox with healthy daemons and nf_conntrack not loaded: no container starts',
    source: 'sysbox-measured.md 1 (1)',
    parts: [
      ...host,
      modules(REL, {
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
  'sysbox-no-node': machine({
    about: 'Sysbox installed, looked at without a cluster: whether the kubelet knows it is not known',
    source: 'rules.md sysbox',
    parts: host,
    expected: { ...expected, podman: 'yes', sysbox: 'unknown' }
  })
} as const

/** A kubelet before 1.30 does not report its runtime handlers. */
function omitHandlers() {
  const { handlers: _, ...rest } = node
  return rest
}
