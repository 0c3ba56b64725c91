import type { Fuse } from '../facts/fuse.ts'
import { atLeast } from '../facts/kernel.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { defineCapability } from './define-capability.ts'
import { judgeFuse } from './fuse.ts'
import { kubeletAtLeast } from './kubelet.ts'
import type { Policy } from './policy.ts'
import { judgeUserNamespaces } from './user-namespaces.ts'
import { allOf, ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

/** Rootless Podman in an unprivileged pod. */
export function judgePodman(facts: NodeFacts, policy: Policy): Verdict {
  const parts = [
    withLowLimit(judgeUserNamespaces(facts), facts),
    ask(facts, 'namespace limits', 'namespace-limits', ({ mnt, pid }) => {
      if (mnt < 4)
        return no(`user.max_mnt_namespaces is ${mnt}; one session needs 4`, 'Raise the sysctl user.max_mnt_namespaces.')
      if (pid < 1) return no(`user.max_pid_namespaces is ${pid}`, 'Raise the sysctl user.max_pid_namespaces.')
      return yes(`user.max_mnt_namespaces is ${mnt}, user.max_pid_namespaces is ${pid}`)
    }),
    judgeAppArmorUserns(facts, policy),
    judgeFuse(facts),
    ...(facts.fuse.known && facts.fuse.value.device !== undefined
      ? [ask(facts, 'mode of /dev/fuse', 'fuse', judgeFuseMode)]
      : []),
    ...(facts.node.known ? [judgeOffered(facts, facts.node.value, policy.fuseResources)] : []),
    judgeSeLinuxForPodman(facts, policy),
    ask(facts, 'seccomp profile', 'seccomp-default', state =>
      yes(
        state === 'unseen' ? "kubelet's seccompDefault could not be read" : `kubelet's seccompDefault is ${state}`,
        state === 'on' ? "kubelet's seccompDefault is on: the pod must set seccompProfile to Unconfined" : undefined
      )
    ),
    ask(facts, 'overlay in user namespaces', 'kernel', kernel =>
      atLeast(kernel, [5, 11])
        ? yes(`kernel ${kernel.release} mounts overlay in user namespaces`)
        : yes(
            `kernel ${kernel.release} cannot mount overlay in user namespaces`,
            'kernels before 5.11 have no overlay in user namespaces: Podman needs fuse-overlayfs'
          )
    )
  ]
  return allOf('podman', parts, ['user namespaces', 'FUSE', 'FUSE offered to pods'])
}

/** A lower limit is soon reached: every workspace of the usual template has the same uid and needs one user namespace. */
const LOW_LIMIT = 256

function withLowLimit(part: Verdict, { 'user-namespaces': fact }: NodeFacts): Verdict {
  if (part.answer !== 'yes' || !fact.known || fact.value.max >= LOW_LIMIT) return part
  return { ...part, cautions: [`user.max_user_namespaces is only ${fact.value.max}, counted per user on the whole node`] }
}

const HELPER = 'Run the privileged helper (manifests/components/helper), which reads the setting.'

function judgeAppArmorUserns(facts: NodeFacts, { apparmorUserns }: Policy): Verdict {
  const name = 'AppArmor and user namespaces'
  const wayOut =
    'Set the sysctl kernel.apparmor_restrict_unprivileged_userns=0, or load a profile named podman and set --apparmor-userns=allow.'
  const restrict = facts['apparmor-userns']
  const part = restrict.known
    ? leaf(name, ['apparmor-userns', 'apparmor'], judgeRestriction(restrict.value, facts, wayOut))
    : leaf(name, ['apparmor-userns'], unsure(restrict.why, `${HELPER} ${wayOut}`))
  if (part.answer === 'yes' || apparmorUserns === 'block') return part
  return {
    ...part,
    answer: 'yes',
    cautions: [`AppArmor may stop Podman, allowed by --apparmor-userns (${part.because})`],
    wayOut: []
  }
}

function judgeRestriction(restrict: 'absent' | 'off' | 'on', { apparmor }: NodeFacts, wayOut: string): Judgement {
  if (restrict === 'absent') return yes('the kernel has no AppArmor restriction of user namespaces')
  if (restrict === 'off') return yes('kernel.apparmor_restrict_unprivileged_userns is 0')
  const sentence = 'kernel.apparmor_restrict_unprivileged_userns is 1'
  if (!apparmor.known) return unsure(`${sentence}, and the loaded profiles are unknown: ${apparmor.why}`, wayOut)
  const { profiles, podmanFile } = apparmor.value
  if (!profiles.ok && podmanFile.ok && !podmanFile.value)
    return no(`${sentence}, and the node has no AppArmor profile named podman`, wayOut)
  if (!profiles.ok) return unsure(`${sentence}, and the loaded profiles are unknown: ${profiles.why}`, wayOut)
  return profiles.value.has('podman')
    ? unsure(`${sentence}; a profile named podman is loaded and may lift the restriction`, wayOut)
    : no(`${sentence}, and no profile named podman is loaded`, wayOut)
}

/** Pods get the device with the mode that it has on the node. */
function judgeFuseMode({ device }: Fuse): Judgement {
  if (device === undefined) return no('/dev/fuse is missing')
  const mode = device.mode.toString(8).padStart(4, '0')
  return (device.mode & 0o006) === 0o006
    ? yes(`/dev/fuse has mode ${mode}`)
    : no(
        `/dev/fuse has mode ${mode}, which does not let others read and write it; pods get the device with this mode`,
        'Set the usual mode: chmod 666 /dev/fuse (permanently: a udev rule or a line in tmpfiles.d).'
      )
}

const PLUGIN =
  'Add components/devices (chart: devices.enabled), which offers /dev/fuse as berth.dev/fuse, or add the resource of your own device plugin to --fuse-resources.'

/** FUSE is offered by a device plugin, or by CRI-O itself. */
function judgeOffered(facts: NodeFacts, { allocatable, containerRuntime }: NodeObject, resources: readonly string[]): Verdict {
  const name = 'FUSE offered to pods'
  const offered = resources.find(resource => (allocatable[resource] ?? 0) > 0)
  if (offered !== undefined) return leaf(name, ['node'], yes(`the Node offers ${allocatable[offered]} ${offered}`))
  const none = resources.length === 0 ? '--fuse-resources is empty' : `the Node offers none of ${resources.join(', ')}`
  if (!containerRuntime.startsWith('cri-o://')) return leaf(name, ['node'], no(none, PLUGIN))
  const byCrio = ask(facts, name, 'crio-devices', allowed =>
    allowed.includes('/dev/fuse')
      ? yes(
          'CRI-O gives /dev/fuse to pods that request it',
          'FUSE is provided by CRI-O: the pod needs the annotation io.kubernetes.cri-o.Devices: /dev/fuse'
        )
      : no(`${none}, and CRI-O's allowed_devices are ${allowed.join(', ') || 'none'}`, `${CRIO} ${PLUGIN}`)
  )
  return { ...byCrio, facts: ['node', 'crio-devices'] }
}

const CRIO = 'Add /dev/fuse to allowed_devices below [crio.runtime] in /etc/crio/crio.conf.d and restart CRI-O.'

/** On Bottlerocket SELinux always enforces, and rootless Podman is documented to work. OpenShift supports nested Podman from 4.20 on. */
function judgeSeLinuxForPodman(facts: NodeFacts, { selinuxPodman }: Policy): Verdict {
  return ask(facts, 'SELinux', 'selinux', mode => {
    if (mode !== 'enforcing') return yes(mode === 'absent' ? 'there is no SELinux' : 'SELinux is permissive')
    if (facts.distro.known && facts.distro.value.id === 'bottlerocket')
      return yes('SELinux is enforcing, which works on Bottlerocket')
    if (facts.node.known && hasNestedPodman(facts.node.value))
      return yes('SELinux is enforcing, on OpenShift 4.20 or newer', NESTED)
    if (selinuxPodman === 'allow') return yes('SELinux is enforcing', 'SELinux is enforcing, allowed by --selinux-podman')
    if (!facts.distro.known) return unsure(`SELinux is enforcing, and the distribution is unknown: ${facts.distro.why}`)
    return no(
      'SELinux is enforcing',
      'Set SELinux to permissive on these nodes, or set --selinux-podman=allow if your policy allows Podman.'
    )
  })
}

const NESTED =
  'on OpenShift the pod needs the security context constraint nested-podman, hostUsers: false and the SELinux type container_engine_t'

/** OpenShift labels its nodes with the operating system; OpenShift 4.20 has Kubernetes 1.33. */
const hasNestedPodman = ({ labels, kubelet }: NodeObject): boolean =>
  labels['node.openshift.io/os_id'] !== undefined && kubeletAtLeast(kubelet, 33) === true

export const podman = defineCapability({
  name: 'podman',
  describes: 'rootless Podman in an unprivileged pod',
  judge: judgePodman,
  workspace: {
    nodes: ['Nodes need a FUSE device plugin (components/devices), and an image with user namespaces enabled.'],
    runsOnBottlerocket: true
  }
})
