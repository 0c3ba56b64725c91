import type { NodeFacts } from '../facts/observe.ts'
import { type Shiftfs, shiftfsTrials } from '../facts/shiftfs.ts'
import { judgeCvm } from './cvm.ts'
import { defineCapability } from './define-capability.ts'
import type { Policy } from './policy.ts'
import { allOf, ask, type Judgement, no, unsure, type Verdict, yes } from './verdict.ts'

/** A CVM whose image comes from the node's own cache: its layers belong to root, so shiftfs must turn them around. */
export function judgeCachedCvm(facts: NodeFacts, policy: Policy): Verdict {
  const { node } = facts
  const parts = [
    judgeCvm(facts, policy),
    judgeShiftfsPart(facts, policy),
    ...(node.known ? [ask(facts, 'container runtime', 'node', ({ containerRuntime }) => judgeRuntime(containerRuntime))] : []),
    ask(facts, '/var/lib', 'var-lib', ({ readOnly, type, mountPoint }) =>
      readOnly || IMAGES.includes(type)
        ? no(
            `/var/lib lies on ${readOnly ? 'a read-only' : 'an image'} file system (${type} at ${mountPoint})`,
            'Use a node image with a writable /var/lib.'
          )
        : yes(`/var/lib lies on ${type}, which can be written`)
    ),
    ask(facts, 'distribution of the cache', 'distro', ({ id, name }) =>
      id === 'amzn' ? no(`${name} is not supported for cached CVMs`, 'Use an Ubuntu image for this node group.') : yes(name)
    )
  ]
  return allOf('cached-cvm', parts, ['shiftfs'])
}

const IMAGES = ['squashfs', 'erofs', 'iso9660', 'cramfs', 'romfs']

function judgeRuntime(runtime: string): Judgement {
  const name = runtime.split(':')[0] ?? ''
  if (name === '') return unsure('the Node object does not name its container runtime')
  return name === 'containerd' || name === 'docker'
    ? yes(`the container runtime is ${runtime}`)
    : no(
        `the container runtime is ${runtime}; the image cache is read from containerd or Docker`,
        'Use containerd on this node pool.'
      )
}

/** Rests on the trials too, where they decided. */
function judgeShiftfsPart(facts: NodeFacts, policy: Policy): Verdict {
  const part = ask(facts, 'shiftfs', 'shiftfs', shiftfs => judgeShiftfs(shiftfs, facts, policy))
  if (!facts.proofs.known) return part
  const { works, failed } = shiftfsTrials(facts.proofs.value)
  return works || failed !== undefined ? { ...part, facts: ['shiftfs', 'proofs'] } : part
}

function judgeShiftfs(shiftfs: Shiftfs, { distro }: NodeFacts, { shiftfsOutsideUbuntu }: Policy): Judgement {
  const { state, because, outOfTree, suspect } = shiftfs
  if (state === 'broken') return no(`shiftfs is there and does not work: ${because}`, 'Use another kernel, and reboot the node.')
  if (state === 'absent')
    return no(`shiftfs is absent: ${because}`, 'Use an Ubuntu 22.04 image whose kernel has shiftfs (linux-modules-extra).')
  if (state === 'buildable')
    return no(`shiftfs is absent: ${because}`, 'Permit the remedy shiftfs (berth helper --permit shiftfs).')
  if (suspect) {
    return unsure(
      'shiftfs of this kernel is known to fail on mkdir and rename (Launchpad 1990849), and was not tried here',
      'Update the kernel, or let the privileged helper try it.'
    )
  }
  const sentence = `shiftfs is ${state}: ${because}`
  if (distro.known && distro.value.id === 'ubuntu') return yes(sentence)
  if (shiftfsOutsideUbuntu === 'allow') return yes(sentence, outOfTree === false ? undefined : DANGER)
  if (!distro.known) return unsure(`whether shiftfs is safe here is not known: ${distro.why}`)
  if (outOfTree === undefined) return unsure("whether this shiftfs is the kernel's own cannot be told", OUTSIDE)
  return outOfTree ? no(`${sentence}, but ${DANGER}`, OUTSIDE) : yes(sentence)
}

const DANGER = "outside Ubuntu's kernels an ordinary user in a container can crash the node through a self-built shiftfs"
const OUTSIDE = 'Use an Ubuntu image, or accept the danger with --shiftfs-outside-ubuntu=allow.'

export const cachedCvm = defineCapability({
  name: 'cached-cvm',
  describes: 'the same with cached images, which needs shiftfs',
  judge: judgeCachedCvm,
  workspace: {
    nodes: ['Ubuntu images whose kernel has shiftfs do: 22.04 with linux-modules-extra (GKE: --image-type=UBUNTU_CONTAINERD).'],
    isCvm: true
  }
})
