import type { Disk } from '../facts/disk.ts'
import type { Distro } from '../facts/distro.ts'
import { atLeast, type Kernel } from '../facts/kernel.ts'
import type { NodeFacts } from '../facts/observe.ts'
import type { Proof, Proofs } from '../facts/proofs.ts'
import { ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

/** The trials were made on the kubelet's root: of a directory on another mount they prove nothing. */
export function judgeDataDisk(facts: NodeFacts, disk: 'storage' | 'sysbox-storage'): Verdict {
  const { kernel, proofs, storage } = facts
  const found = facts[disk]
  const isTried = proofs.known && storage.known && found.known && storage.value.mountPoint === found.value.mountPoint
  const proof = isTried ? proofs.value['id-mapped-mount'] : undefined
  const judge = (tried: Proof | undefined): Verdict =>
    ask(facts, 'data file system', disk, value => judgeStorage(value, kernel.known ? kernel.value : undefined, tried))
  const [part, untold] = [judge(proof), judge(undefined)]
  // What is known of the disk may be of no use without the kernel, which the judgement rests on too.
  return { ...part, facts: [disk, 'kernel', ...(part.answer === untold.answer ? [] : (['proofs'] as const))] }
}

const NEVER = ['nfs', 'nfs4', 'overlay', 'tmpfs']
const LOCAL_DISK = 'Put it on a local ext4 or xfs file system.'

/** The kind of file system that Sysbox can keep a container's files on. Needs the kernel, since 5.12 Sysbox maps ids on it. */
export function judgeStorage(storage: Disk, kernel: Kernel | undefined, proof?: Proof): Judgement {
  const { path, type } = storage
  const where = `${path} lies on ${type} (mounted at ${storage.mountPoint})`
  if (NEVER.includes(type)) return no(`${where}, which Sysbox cannot use`, LOCAL_DISK)
  if (kernel === undefined) return unsure(`${where}, and the kernel is not known`)
  const caution = storageCaution(storage)
  if (!atLeast(kernel, [5, 12]) || type === 'ext4' || type === 'xfs') return yes(where, caution)
  if (type === 'btrfs' && atLeast(kernel, [5, 15])) return yes(where, caution)
  if (proof?.outcome === 'works') return yes(`${where}; a trial mount on it worked: ${proof.because}`, caution)
  if (proof?.outcome === 'fails') return no(`${where}; a trial mount on it failed: ${proof.because}`, LOCAL_DISK)
  return unsure(
    `${where}; whether ID-mapped mounts work on it is not known until one was tried`,
    `${LOCAL_DISK} Or let the privileged helper try a mount.`
  )
}

/** Coder's requirements for CVMs advise 50 to 100 GB for a workspace. */
const ROOM_FOR_ONE = 50e9

function storageCaution({ path, noExec, free }: Disk): string | undefined {
  if (noExec) return `${path} is mounted noexec`
  return free !== undefined && free < ROOM_FOR_ONE
    ? `less than 50 GB are free at ${path}, and one workspace wants 50 to 100 GB`
    : undefined
}

/** From 5.12 on Sysbox's manager makes these trials itself, the second one from 5.19 on, and ends where one fails. */
export function judgeIdMapping(facts: NodeFacts): Verdict {
  const name = 'ID-mapped mounts'
  const { kernel, distro, proofs } = facts
  const byVersion = ask(facts, name, 'kernel', value => judgeIdMappingByVersion(value, distro.known ? distro.value : undefined))
  if (!kernel.known || !atLeast(kernel.value, [5, 12])) return byVersion
  const proved = proofs.known
    ? judgeMountTrials(kernel.value, proofs.value)
    : unsure(proofs.why, 'Restart the privileged helper.')
  return proved === undefined ? byVersion : leaf(name, ['kernel', 'proofs'], proved)
}

/** `undefined` where the trials do not tell. */
function judgeMountTrials(kernel: Kernel, proofs: Proofs): Judgement | undefined {
  const mount = proofs['id-mapped-mount']
  const overlay = proofs['overlay-on-id-mapped']
  if (mount.outcome === 'fails') return no(`a trial mount failed: ${mount.because}`, `${OTHER_KERNEL} ${LOCAL_DISK}`)
  if (overlay.outcome === 'fails' && atLeast(kernel, [5, 19])) {
    return no(`a trial mount of overlayfs on an ID-mapped mount failed: ${overlay.because}`, `${OTHER_KERNEL} ${LOCAL_DISK}`)
  }
  return mount.outcome === 'works' ? yes(`proved by a trial mount: ${mount.because}`) : undefined
}

const OTHER_KERNEL = 'Use a node image whose kernel has ID-mapped mounts switched on.'

function judgeIdMappingByVersion({ release, major, minor }: Kernel, distro: Distro | undefined): Judgement {
  if (!atLeast({ major, minor }, [5, 12])) {
    return yes(
      `not needed on kernel ${release}`,
      "on kernels before 5.12, files of the node's root show as nobody inside, and the first start copies ownership (50 s for 0.5 GB)"
    )
  }
  if (isEl9(release, distro)) {
    return unsure(
      `kernel ${release} may have ID-mapped mounts switched off, as EL 9 kernels had at least up to 9.1`,
      'Let the privileged helper try a mount, or use another distribution.'
    )
  }
  return yes(`kernel ${release} has ID-mapped mounts`)
}

const EL = ['rhel', 'rhcos', 'rocky', 'almalinux', 'centos', 'ol']

/** By the release, and by the distribution too where the release was cut short; an unknown one may be EL. */
const isEl9 = (release: string, distro: Distro | undefined): boolean =>
  /^5\.14\.0-/.test(release) &&
  (/\.el9/.test(release) || distro === undefined || EL.some(id => distro.id === id || distro.like.includes(id)))
