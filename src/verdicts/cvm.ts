import { atLeast } from '../facts/kernel.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { judgeArchitecture } from './architecture.ts'
import { judgeDataDisk, judgeIdMapping } from './data-disk.ts'
import { defineCapability } from './define-capability.ts'
import { judgeDistro } from './distro.ts'
import { judgeFuse } from './fuse.ts'
import { judgeFusermount } from './fusermount3.ts'
import { judgeHostPaths } from './host-paths.ts'
import { judgeKernel } from './kernel.ts'
import { judgeModulePart, OTHER_KERNEL } from './modules.ts'
import { judgeNftables } from './netfilter.ts'
import type { Policy } from './policy.ts'
import { isRequested, judgePrivilegedPods } from './privileged.ts'
import { judgeSeccomp } from './seccomp.ts'
import { judgeSeLinux } from './selinux.ts'
import { judgeUserNamespaces } from './user-namespaces.ts'
import { allOf, ask, no, type Verdict, yes } from './verdict.ts'
import { judgeYama } from './yama.ts'

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
          ? yes('/proc/modules exists')
          : no('the kernel has no loadable modules (no /proc/modules), and Sysbox does not start without them', OTHER_KERNEL)
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
    ...(isRequested(policy) ? [judgePrivilegedPods(facts, policy)] : [])
  ]
  const verdict = allOf('cvm', parts, ['kernel', 'distribution'])
  // If the distribution can never host Sysbox, no other way out helps.
  return distro.answer === 'no' ? { ...verdict, wayOut: distro.wayOut } : verdict
}

/** From kernel 5.12 on, sysbox-mgr exits without overlay. On older kernels only Docker inside the workspace is slower. */
function judgeOverlay(facts: NodeFacts): Verdict {
  const part = judgeModulePart(facts, 'overlay')
  const { kernel, 'kernel-modules': found } = facts
  if (!kernel.known || atLeast(kernel.value, [5, 12]) || part.answer === 'yes') return part
  // The state of a module begins with its name; the reason for an unknown fact does not.
  const state = found.known ? part.because : `overlay: ${part.because}`
  const caution = `${state}; Docker inside the workspace falls back to vfs`
  return { ...part, answer: 'yes', cautions: [caution], wayOut: [] }
}

export const cvm = defineCapability({
  name: 'cvm',
  describes: 'a container-based virtual machine (Sysbox in a privileged Envbox pod), with Docker and systemd inside',
  judge: judgeCvm,
  workspace: {
    nodes: [
      'Suitable images: Ubuntu (GKE: --image-type=UBUNTU_CONTAINERD), and Bottlerocket with kernel 6.12 or newer and user namespaces enabled. COS and Talos cannot host Sysbox.'
    ],
    runsOnBottlerocket: true,
    isCvm: true
  }
})
