import type { Distro } from '../facts/distro.ts'
import { atLeast, type Kernel, type Version } from '../facts/kernel.ts'
import type { NodeFacts } from '../facts/observe.ts'
import type { HostPath } from '../facts/storage.ts'
import { judgeDataDisk, judgeIdMapping } from './data-disk.ts'
import { judgeFuse } from './fuse.ts'
import { judgeFusermount } from './fusermount3.ts'
import { judgeModulePart, OTHER_KERNEL } from './modules.ts'
import { judgeNftables } from './netfilter.ts'
import type { Policy } from './policy.ts'
import { judgePrivilegedPods, wasAsked } from './privileged.ts'
import { allOf, ask, type Judgement, no, unsure, type Verdict, yes } from './verdict.ts'

/** A Container-based Virtual Machine or an Envbox pod: a privileged outer container with Sysbox inside. */
export function judgeCvm(facts: NodeFacts, policy: Policy): Verdict {
  const distro = judgeDistro(facts)
  const parts = [
    judgeArchitecture(facts),
    ask(facts, 'kernel', 'kernel', value => judgeKernel(value, policy.minimumKernel)),
    distro,
    judgeSeccomp(facts),
    judgeUserNamespaces(facts),
    allOf('modules', [
      ask(facts, 'loadable modules', 'kernel-modules', ({ supported }) =>
        supported
          ? yes('/proc/modules is there')
          : no('the kernel has no loadable modules (no /proc/modules), which Sysbox refuses', OTHER_KERNEL)
      ),
      judgeFuse(facts),
      judgeModulePart(facts, 'nf_conntrack'),
      judgeModulePart(facts, 'bridge'),
      judgeModulePart(facts, 'veth'),
      judgeNftables(facts),
      judgeOverlay(facts)
    ]),
    judgeSeLinux(facts),
    judgeFusermount(facts),
    judgeYama(facts),
    judgeDataDisk(facts, 'storage'),
    judgeIdMapping(facts),
    ask(facts, 'host paths', 'host-paths', judgeHostPaths),
    ...(wasAsked(policy) ? [judgePrivilegedPods(facts, policy)] : [])
  ]
  const verdict = allOf('cvm', parts, ['kernel', 'distribution'])
  // Where the distribution cannot do it at all, no other mending helps.
  return distro.answer === 'no' ? { ...verdict, wayOut: distro.wayOut } : verdict
}

export const judgeArchitecture = (facts: NodeFacts): Verdict =>
  ask(facts, 'architecture', 'architecture', arch =>
    arch === 'amd64' || arch === 'arm64'
      ? yes(`architecture ${arch}`)
      : no(`architecture ${arch}; Sysbox runs on amd64 and arm64 only`, 'Use a node pool of amd64 or arm64 machines.')
  )

const text = ([major, minor]: Version): string => `${major}.${minor}`

/** Sysbox 0.6.3 and newer need seccomp notification of API level 6, which came with 5.7; the documents still say 5.4. */
export function judgeKernel(kernel: Kernel, minimum: Version | undefined): Judgement {
  const { release } = kernel
  if (minimum !== undefined) {
    return atLeast(kernel, minimum)
      ? yes(`kernel ${release} is at or above ${text(minimum)} (--minimum-kernel)`)
      : no(
          `kernel ${release} is below ${text(minimum)} (--minimum-kernel)`,
          `Use a node image with kernel ${text(minimum)} or newer.`
        )
  }
  if (!atLeast(kernel, [5, 4])) return no(`kernel ${release} is below 5.4`, 'Use a node image with kernel 5.7 or newer.')
  if (atLeast(kernel, [5, 7])) return yes(`kernel ${release} is at or above 5.7`)
  return unsure(
    `kernel ${release} is between 5.4 and 5.7: only Sysbox up to 0.6.2 (Envbox before June 2024) starts there`,
    'Use a node image with kernel 5.7 or newer, or say --minimum-kernel 5.4 if your workspaces run such an old Sysbox.'
  )
}

/** Distributions that cannot host Sysbox whatever their kernel, and where to go from there. */
const EXCLUDED: Readonly<Record<string, string>> = {
  cos: 'Use the Ubuntu image type for this node pool (GKE: --image-type UBUNTU_CONTAINERD).',
  talos: 'Use a general-purpose distribution (Ubuntu 22.04 or 24.04) for this node pool.'
}

/** From which kernel on Sysbox's documents list a distribution. */
const DOCUMENTED: Readonly<Record<string, Version>> = {
  ubuntu: [0, 0],
  debian: [5, 5],
  flatcar: [5, 10],
  fedora: [5, 12],
  centos: [5, 12],
  rocky: [5, 12],
  almalinux: [5, 12],
  rhel: [5, 12]
}

const judgeDistro = (facts: NodeFacts): Verdict =>
  ask(facts, 'distribution', 'distro', distro => {
    const wayOut = Object.hasOwn(EXCLUDED, distro.id) ? EXCLUDED[distro.id] : undefined
    if (wayOut !== undefined) return no(`${distro.name} cannot host Sysbox`, wayOut)
    if (distro.id === 'bottlerocket') return judgeBottlerocket(distro, facts.kernel)
    return yes(distro.name, distroCaution(distro, facts.kernel.known ? facts.kernel.value : undefined))
  })

/** Envbox ran on Bottlerocket 2026.8.3 with kernel 6.18 and everything in it worked (coder/envbox#176); nothing older was tried. */
function judgeBottlerocket({ name }: Distro, kernel: NodeFacts['kernel']): Judgement {
  if (!kernel.known) return unsure(`${name}, and its kernel is not known: ${kernel.why}`)
  return atLeast(kernel.value, [6, 12])
    ? yes(`${name} with kernel ${kernel.value.release}`, 'Sysbox was tested on Bottlerocket 2026.8 with kernel 6.18 only')
    : unsure(
        `${name} with kernel ${kernel.value.release}: Sysbox was never tested on a Bottlerocket with a kernel before 6.12`,
        'Use a Bottlerocket variant with kernel 6.12 or newer (aws-k8s-1.33 and later).'
      )
}

function distroCaution(distro: Distro, kernel: Kernel | undefined): string | undefined {
  const { id, version, name } = distro
  if (id === 'ubuntu' && (version === '18.04' || version === '20.04')) return `${name} is past the end of its standard support`
  if (id === 'amzn' && version === '2') return 'Amazon Linux 2 is documented for plain CVMs only'
  const from = id === 'amzn' ? ([6, 1] as const) : Object.hasOwn(DOCUMENTED, id) ? DOCUMENTED[id] : undefined
  if (kernel !== undefined && atLeast(kernel, from ?? [5, 12])) {
    return from === undefined
      ? `Sysbox's documents do not list ${name}; other distributions are expected to work from kernel 5.12 on`
      : undefined
  }
  return `Sysbox's documents list ${from === undefined ? 'other distributions' : name} only from kernel ${text(from ?? [5, 12])} on`
}

export const judgeSeccomp = (facts: NodeFacts): Verdict =>
  ask(facts, 'seccomp notification', 'seccomp', actions =>
    actions.includes('user_notif')
      ? yes('seccomp has the action user_notif')
      : no(
          'seccomp lacks the action user_notif, by which Sysbox sees system calls',
          'Use a kernel with CONFIG_SECCOMP_FILTER, 5.0 or newer.'
        )
  )

export const judgeUserNamespaces = (facts: NodeFacts): Verdict =>
  ask(facts, 'user namespaces', 'user-namespaces', ({ compiled, max, unprivileged }) => {
    if (!compiled) return no('the kernel was built without user namespaces', 'Use a kernel with CONFIG_USER_NS.')
    if (!unprivileged) return no('kernel.unprivileged_userns_clone is 0', 'Set the sysctl kernel.unprivileged_userns_clone=1.')
    if (max === 0) {
      return no(
        'user.max_user_namespaces is 0',
        'Raise the sysctl user.max_user_namespaces (65536), or permit the remedy user-namespaces.'
      )
    }
    return yes(`user.max_user_namespaces is ${max}`)
  })

/** From 5.12 on Sysbox's manager ends without overlay; below it only the Docker inside works worse. */
function judgeOverlay(facts: NodeFacts): Verdict {
  const part = judgeModulePart(facts, 'overlay')
  const { kernel, 'kernel-modules': found } = facts
  if (!kernel.known || atLeast(kernel.value, [5, 12]) || part.answer === 'yes') return part
  // What was found out of a module begins with its name; why nothing could be read does not.
  const state = found.known ? part.because : `overlay: ${part.because}`
  const caution = `${state}; Docker inside the workspace falls back to vfs`
  return { ...part, answer: 'yes', cautions: [caution], wayOut: [] }
}

export const judgeSeLinux = (facts: NodeFacts): Verdict =>
  ask(facts, 'SELinux', 'selinux', mode => {
    // There a privileged container is control_t, which may do what Sysbox needs.
    if (mode === 'enforcing' && facts.distro.known && facts.distro.value.id === 'bottlerocket')
      return yes('SELinux is enforcing, which stops no privileged container on Bottlerocket')
    if (mode === 'enforcing' && !facts.distro.known)
      return unsure(`SELinux is enforcing, and the distribution is not known: ${facts.distro.why}`)
    if (mode === 'enforcing')
      return no(
        'SELinux is enforcing, which Sysbox does not support',
        'Set SELinux to permissive on these nodes (SELINUX=permissive in /etc/selinux/config).'
      )
    return mode === 'permissive'
      ? yes('SELinux is permissive', 'SELinux is permissive; enforcing it would end this')
      : yes('there is no SELinux')
  })

export const judgeYama = (facts: NodeFacts): Verdict =>
  ask(facts, 'ptrace scope', 'yama', scope => {
    if (scope === 'absent') return yes('there is no Yama')
    return scope < 3
      ? yes(`kernel.yama.ptrace_scope is ${scope}`)
      : no(
          `kernel.yama.ptrace_scope is ${scope}, and cannot be lowered before a reboot`,
          'Set kernel.yama.ptrace_scope to 2 or lower in sysctl.d and reboot the node.'
        )
  })

function judgeHostPaths(paths: Readonly<Record<string, HostPath>>): Judgement {
  const lacking = Object.entries(paths).filter(([, { exists, parentWritable }]) => !exists && !parentWritable)
  if (lacking.length > 0) {
    const names = lacking.map(([path]) => path).join(' and ')
    return no(
      `${names} is not there and cannot be created, since the file system above it is read-only`,
      `Create ${names} in the node image.`
    )
  }
  const created = Object.entries(paths).filter(([, { exists }]) => !exists)
  return created.length === 0
    ? yes(`${Object.keys(paths).join(' and ')} are there`)
    : yes(`${created.map(([path]) => path).join(' and ')} will be created by the container runtime`)
}
