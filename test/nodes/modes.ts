import { atLeast, parseKernel } from '../../src/facts/kernel.ts'
import { type Machine, normalised } from './played.ts'

/** What an ordinary user may do at the paths that a node is asked for. */

interface RootOnly {
  readonly path: string
  /** What the owner, root, and its group may do; the agent is neither. */
  readonly mode: number
  /** Source of the kernel or of the distribution, an issue, or the field notes. */
  readonly source: string
  /** Where it is not so on every machine. */
  readonly on?: (machine: Machine) => boolean
}

const textAt = ({ tree }: Machine, path: string): string => {
  const entry = tree[path]
  return typeof entry === 'string' ? entry : ''
}

const isBefore = (machine: Machine, version: readonly [number, number]): boolean => {
  const kernel = parseKernel(textAt(machine, '/proc/sys/kernel/osrelease'))
  return kernel !== undefined && !atLeast(kernel, version)
}

const isAmazonLinux = (machine: Machine): boolean => /^ID="?amzn/m.test(textAt(machine, '/usr/lib/os-release'))

/** The kubelets' roots of the recorded machines. */
const KUBELETS = ['/var/lib/kubelet', '/var/lib/k0s/kubelet', '/var/snap/microk8s/common/var/lib/kubelet', '/data/kubelet']

/** What only root can read, where it is there. A directory of this kind hides all that is below it. */
export const ROOT_ONLY: readonly RootOnly[] = [
  {
    path: '/sys/kernel/security/apparmor/profiles',
    // Its mode is shown as 0444, but to open it the kernel asks for user or group 0, which 0440 comes to.
    mode: 0o440,
    source: 'linux security/apparmor: apparmorfs.c profiles_open, policy.c aa_policy_view_capable'
  },
  {
    path: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    mode: 0o600,
    // From 6.8 on, Ubuntu's handler userns_restrict_dointvec refuses only writes, and the mode is 0644.
    source: 'canonical/lxd-pkg-snap#183 (23.10: for root only); moby/moby#47508 (24.04: rootlesskit reads it as a user)',
    on: machine => isBefore(machine, [6, 8])
  },
  {
    path: '/sys/kernel/security/lockdown',
    mode: 0o600,
    source: 'linux security/lockdown/lockdown.c, 0644 since 60cf7c5ed5f7 (5.8); measured on 5.10, 6.1 and 6.12',
    on: machine => isBefore(machine, [5, 8])
  },
  ...KUBELETS.map(
    (path): RootOnly => ({
      path,
      mode: 0o750,
      source: 'kubernetes pkg/kubelet/kubelet.go setupDataDirs; 0700 where kubeadm makes it (kubernetes/kubernetes#93652)',
      // Their image brings it with 0755 (amazon-eks-ami install-worker.sh), and the kubelet leaves the mode of what is there.
      on: machine => !isAmazonLinux(machine)
    })
  ),
  { path: '/var/lib/kubelet/pods', mode: 0o750, source: 'kubernetes pkg/kubelet/kubelet.go setupDataDirs' },
  ...['/var/lib/sysbox', '/mnt/data/sysbox', '/mnt/nvme/sysbox'].map(
    (path): RootOnly => ({ path, mode: 0o700, source: 'sysbox-mgr mgr.go setupWorkDirs' })
  )
]

/** Those of them that count on a machine. */
export function rootOnly(machine: Machine): readonly RootOnly[] {
  const things = normalised(machine.tree)
  return ROOT_ONLY.filter(({ path, on }) => things.has(path) && (on?.(machine) ?? true))
}

/** What every user can read, by pattern; directories among it can be entered and listed. */
export const READABLE: readonly (readonly [path: RegExp, source: string])[] = [
  [/^\/boot\/config-/, '0644 in linux-image of Debian and Ubuntu, unlike vmlinuz and System.map'],
  [/^\/data$|^\/lib$|^\/proc$|^\/usr$|^\/var$|^\/var\/lib$/, '0755 or 0555 on every distribution'],
  [/^\/dev(\/fuse|\/kvm|\/nvidiactl)?$/, 'linux drivers/base/devtmpfs.c: 0755; of the devices only kind and mode are asked'],
  [/^\/etc\/apparmor\.d\//, 'apparmor of Debian and Ubuntu: 0644, directories 0755'],
  [/^\/etc\/crio(\/|$)/, 'packages of CRI-O and the machine-config-operator: 0644, directories 0755'],
  [
    /^\/etc\/docker\/daemon\.json$/,
    'docker-ce and moby packages make /etc/docker 0755; the file is written by hand, by default 0644'
  ],
  [/^\/(etc|run|usr\/local\/lib|usr\/lib|lib)\/sysctl\.d(\/|$)/, 'procps and systemd: 0644, directories 0755'],
  [/^\/etc\/kubernetes\/kubelet\/(kubelet-)?config\.json$/, 'amazon-eks-ami nodeadm kubeletConfigPerm: 0644'],
  [/^\/(etc|usr\/lib)\/os-release$/, 'os-release(5)'],
  [/^\/(etc|run|usr\/local\/lib|usr\/lib|lib)\/modprobe\.d(\/|$)/, 'kmod of every distribution: 0644, directories 0755'],
  [/^\/(usr\/)?lib\/modules(\/|$)/, 'kernel packages, depmod: 0644, directories 0755'],
  [/^\/usr\/src(\/|$)/, 'packages of kernel headers: 0644, directories 0755'],
  [/^\/usr\/lib(64|\/\w+-linux-gnu)?\/libnvidia-ml\.so\.1$/, "NVIDIA's packages: 0755"],
  [/^\/(usr\/bin|opt\/bin|usr\/local\/sbin)\/sysbox-/, 'sysbox packages: 0755'],
  [
    /^\/(etc|usr\/lib|lib)\/systemd\/system\/sysbox-mgr\.service/,
    'sysbox packages: 0644; drop-ins by `systemctl edit`: 0644, directories 0755'
  ],
  [/^\/usr\/bin\/systemd-detect-virt/, 'systemd: 0755'],
  [/^\/run\/nvidia\/driver\//, "root of the GPU operator's driver container: 0755"],
  [/^\/var\/(lib\/dpkg\/status|lib\/sysbox-deploy-k8s\/\w+)$/, 'dpkg: 0644; sysbox-deploy-k8s.sh: 0644'],
  [/^\/proc\/\d+\/(comm|mountinfo)$/, 'linux fs/proc/base.c: 0644 and 0444, unless hidepid hides them'],
  [/^\/proc\/self\/(mountinfo|ns|uid_map)$/, 'linux fs/proc/base.c: of the process itself'],
  [/^\/proc\/(cmdline|cpuinfo|filesystems|modules|swaps)$/, 'linux proc_create: 0444'],
  [/^\/proc\/version_signature$/, "Ubuntu's linux fs/proc/version_signature.c: 0444"],
  [/^\/proc\/device-tree\//, 'linux drivers/of/kobj.c: 0444'],
  [/^\/proc\/driver\/nvidia\/(version|gpus|capabilities)/, 'open-gpu-kernel-modules nv-procfs.c: 0444, directories 0555'],
  [/^\/proc\/sys\/fs\/inotify\/max_user_(watches|instances)$/, 'linux fs/notify/inotify/inotify_user.c: 0644'],
  [/^\/proc\/sys\/kernel$/, 'linux fs/proc/proc_sysctl.c: 0555'],
  [/^\/proc\/sys\/kernel\/(osrelease|random\/boot_id|seccomp\/actions_avail)$/, 'linux ctl_table: 0444'],
  [/^\/proc\/sys\/kernel\/(modules_disabled|loadpin\/enforce|yama\/ptrace_scope)$/, 'linux ctl_table: 0644'],
  [/^\/proc\/sys\/kernel\/unprivileged_userns_clone$/, "patch of Debian's and Ubuntu's kernels: 0644, measured on 5.10 and 6.1"],
  [/^\/proc\/sys\/user\/max_(user|mnt|pid)_namespaces$/, 'linux kernel/ucount.c set_permissions: all may read'],
  [/^\/sys\/(bus|fs|kernel)$|^\/sys\/firmware$/, 'linux fs/sysfs: directories 0755'],
  [/^\/sys\/bus\/pci\/devices/, 'linux drivers/pci/pci-sysfs.c: vendor and class 0444'],
  [/^\/sys\/class\/dmi\/id/, 'linux drivers/firmware/dmi-id.c: 0444, but for serial numbers and the UUID'],
  [/^\/sys\/firmware\/efi\/efivars/, 'linux fs/efivarfs: directory 0755, variables 0644'],
  [/^\/sys\/fs\/cgroup\//, 'linux kernel/cgroup: cgroup.procs 0644, directories 0755'],
  [/^\/sys\/fs\/selinux(\/enforce)?$/, 'linux security/selinux/selinuxfs.c: 0644'],
  [/^\/sys\/hypervisor\/type$/, 'linux drivers/xen/sys-hypervisor.c: 0444'],
  [/^\/sys\/kernel\/mm\/hugepages(\/|$)/, 'linux mm/hugetlb.c: directories 0755, nr_hugepages 0644'],
  [/^\/sys\/kernel\/security(\/lsm)?$/, 'linux security/inode.c: directory 0755, lsm 0444'],
  [/^\/sys\/module\/\w+$/, 'linux fs/sysfs: directories 0755'],
  [/^\/sys\/module\/(module\/parameters\/sig_enforce|apparmor\/parameters\/enabled)$/, 'linux: 0644 and 0444'],
  [/^\/sys\/module\/nf_conntrack\/parameters$/, 'linux fs/sysfs: directories 0755']
]
