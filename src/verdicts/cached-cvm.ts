import type { NodeFacts } from '../facts/observe.ts'
import { type Shiftfs, shiftfsTrials } from '../facts/shiftfs.ts'
import { judgeCvm } from './cvm.ts'
import { defineCapability } from './define-capability.ts'
import type { Policy } from './policy.ts'
import { allOf, ask, type Judgement, no, unsure, type Verdict, yes } from './verdict.ts'

/** A CVM that starts from the node's image cache. The cached layers are owned by root, so shiftfs has to map their owners. */
export function judgeCachedCvm(facts: NodeFacts, policy: Policy): Verdict {
  const { node } = facts
  const parts = [
    judgeCvm(facts, policy),
    judgeShiftfsPart(facts, policy),
    ...(node.known ? [ask(facts, 'container runtime', 'node', ({ containerRuntime }) => judgeRuntime(containerRuntime))] : []),
    ask(facts, '/var/lib', 'var-lib', ({ readOnly, type, mountPoint }) =>
      readOnly || IMAGE_FILE_SYSTEMS.includes(type)
        ? no(
            `/var/lib is on ${readOnly ? 'a read-only' : 'an image'} file system (${type} at ${mountPoint})`,
            'Use a node image with a writable /var/lib.'
          )
        : yes(`/var/lib is on ${type}, which is writable`)
    ),
    ask(facts, 'distribution of the cache', 'distro', ({ id, name }) =>
      id === 'amzn' ? no(`${name} is not supported for cached CVMs`, 'Use an Ubuntu image for this node group.') : yes(name)
    )
  ]
  return allOf('cached-cvm', parts, ['shiftfs'])
}

const IMAGE_FILE_SYSTEMS = ['squashfs', 'erofs', 'iso9660', 'cramfs', 'romfs']

function judgeRuntime(runtime: string): Judgement {
  const name = runtime.split(':')[0] ?? ''
  if (name === '') return unsure('the Node object does not name its container runtime')
  return name === 'containerd' || name === 'docker'
    ? yes(`the container runtime is ${runtime}`)
    : no(
        `the container runtime is ${runtime}; cached CVMs need the image cache of containerd or Docker`,
        'Use containerd on this node pool.'
      )
}

/** The verdict names the trials among its facts if they decided it. */
function judgeShiftfsPart(facts: NodeFacts, policy: Policy): Verdict {
  const part = ask(facts, 'shiftfs', 'shiftfs', shiftfs => judgeShiftfs(shiftfs, facts, policy))
  if (!facts.proofs.known) return part
  const { works, failed } = shiftfsTrials(facts.proofs.value)
  return works || failed !== undefined ? { ...part, facts: ['shiftfs', 'proofs'] } : part
}

function judgeShiftfs(shiftfs: Shiftfs, { distro }: NodeFacts, { shiftfsOutsideUbuntu }: Policy): Judgement {
  const { state, because, outOfTree, suspect } = shiftfs
  if (state === 'broken') return no(`shiftfs is present but does not work: ${because}`, 'Boot another kernel.')
  if (state === 'absent')
    return no(`shiftfs is absent: ${because}`, 'Use an Ubuntu 22.04 image whose kernel has shiftfs (linux-modules-extra).')
  if (state === 'buildable')
    return no(`shiftfs is absent: ${because}`, 'Permit the remedy shiftfs (berth helper --permit shiftfs).')
  if (suspect) {
    return unsure(
      'shiftfs of this kernel is known to fail on mkdir and rename (Launchpad 1990849), and no trial has shown otherwise',
      'Update the kernel, or run the privileged helper, which tries shiftfs.'
    )
  }
  const sentence = `shiftfs is ${state}: ${because}`
  if (distro.known && distro.value.id === 'ubuntu') return yes(sentence)
  if (shiftfsOutsideUbuntu === 'allow') return yes(sentence, outOfTree === false ? undefined : CRASH_RISK)
  if (!distro.known) return unsure(`it is unknown whether shiftfs is safe here: ${distro.why}`)
  if (outOfTree === undefined) return unsure('it is unknown whether this shiftfs comes with the kernel', UBUNTU_ONLY)
  return outOfTree ? no(`${sentence}, but ${CRASH_RISK}`, UBUNTU_ONLY) : yes(sentence)
}

const CRASH_RISK = "outside Ubuntu's kernels, an unprivileged user in a container can crash the node through a self-built shiftfs"
const UBUNTU_ONLY = 'Use an Ubuntu image, or accept the risk with --shiftfs-outside-ubuntu=allow.'

export const cachedCvm = defineCapability({
  name: 'cached-cvm',
  describes: 'the same, started from cached images, which needs shiftfs',
  judge: judgeCachedCvm,
  workspace: {
    nodes: [
      'Suitable images: Ubuntu with a kernel that has shiftfs, such as 22.04 with linux-modules-extra (GKE: --image-type=UBUNTU_CONTAINERD).'
    ],
    isCvm: true
  }
})
