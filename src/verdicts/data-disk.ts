import type { Disk } from '../facts/disk.ts'
import type { Distro } from '../facts/distro.ts'
import { atLeast, type Kernel, type Version } from '../facts/kernel.ts'
import type { NodeFacts } from '../facts/observe.ts'
import type { Proof, Proofs } from '../facts/proofs.ts'
import { ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

/** What keeps its files on a disk: which file systems it cannot use, and which ones the kernel can ID-map, from which version on. */
export interface DiskUse {
  readonly never: readonly string[]
  /** Completes a sentence that names such a file system: `which Sysbox cannot use`. */
  readonly because: string
  readonly idMapped: Readonly<Record<string, Version>>
  readonly caution: (storage: Disk) => string | undefined
}

/** FS_ALLOW_IDMAP in the sources of the kernel. */
const LOCAL_DISKS: DiskUse['idMapped'] = { ext4: [5, 12], xfs: [5, 12], btrfs: [5, 15] }

const SYSBOX: DiskUse = {
  never: ['nfs', 'nfs4', 'overlay', 'tmpfs'],
  because: 'which Sysbox cannot use',
  idMapped: LOCAL_DISKS,
  caution: storageCaution
}

/** Volumes of a pod with `hostUsers: false`. A pod with its root on tmpfs was measured on kernel 6.18. */
export const POD_VOLUMES: DiskUse = {
  never: ['nfs', 'nfs4', 'overlay'],
  because: 'which cannot be ID-mapped',
  idMapped: { ...LOCAL_DISKS, tmpfs: [6, 3] },
  caution: () => undefined
}

/** The trials run on the kubelet's root, so they prove nothing about a directory on another mount. */
export function judgeDataDisk(facts: NodeFacts, disk: 'storage' | 'sysbox-storage', use = SYSBOX): Verdict {
  const { kernel, proofs, storage } = facts
  const found = facts[disk]
  const isTried = proofs.known && storage.known && found.known && storage.value.mountPoint === found.value.mountPoint
  const proof = isTried ? proofs.value['id-mapped-mount'] : undefined
  const judge = (tried: Proof | undefined): Verdict =>
    ask(facts, 'data file system', disk, value =>
      judgeStorage(value, kernel.known ? kernel.value : undefined, { use, proof: tried })
    )
  const [part, withoutTrial] = [judge(proof), judge(undefined)]
  // The judgement depends on the kernel too, and on the trial only if that changes the answer.
  return { ...part, facts: [disk, 'kernel', ...(part.answer === withoutTrial.answer ? [] : (['proofs'] as const))] }
}

const moveToLocalDisk = (what: string): string => `Move ${what} to a local ext4 or xfs file system.`

interface DiskTerms {
  readonly use?: DiskUse
  readonly proof?: Proof | undefined
}

/** From kernel 5.12 on, the file system must be one that the kernel can ID-map. */
export function judgeStorage(storage: Disk, kernel: Kernel | undefined, { use = SYSBOX, proof }: DiskTerms = {}): Judgement {
  const { path, type } = storage
  const where = `${path} is on ${type} (mounted at ${storage.mountPoint})`
  const move = moveToLocalDisk(path)
  if (use.never.includes(type)) return no(`${where}, ${use.because}`, move)
  if (kernel === undefined) return unsure(`${where}, and the kernel version is unknown`)
  const caution = use.caution(storage)
  const from = use.idMapped[type]
  if (!atLeast(kernel, [5, 12]) || (from !== undefined && atLeast(kernel, from))) return yes(where, caution)
  if (proof?.outcome === 'works') return yes(`${where}; a trial mount on it worked: ${proof.because}`, caution)
  if (proof?.outcome === 'fails') return no(`${where}; a trial mount on it failed: ${proof.because}`, move)
  return unsure(
    `${where}; only a trial can show whether ID-mapped mounts work on it`,
    `${move} Or run the privileged helper, which tries a mount.`
  )
}

/** Coder's requirements for CVMs recommend 50 to 100 GB for each workspace. */
const WORKSPACE_BYTES = 50e9

function storageCaution({ path, noExec, free }: Disk): string | undefined {
  if (noExec) return `${path} is mounted noexec`
  return free !== undefined && free < WORKSPACE_BYTES
    ? `less than 50 GB is free at ${path}; one workspace needs 50 to 100 GB`
    : undefined
}

/** sysbox-mgr runs the same trials from kernel 5.12 on (the second one from 5.19 on), and exits if one fails. */
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

/** `undefined` if the trials do not decide. */
function judgeMountTrials(kernel: Kernel, proofs: Proofs): Judgement | undefined {
  const mount = proofs['id-mapped-mount']
  const overlay = proofs['overlay-on-id-mapped']
  if (mount.outcome === 'fails') return no(`a trial mount failed: ${mount.because}`, OTHER_KERNEL_OR_DISK)
  if (overlay.outcome === 'fails' && atLeast(kernel, [5, 19])) {
    return no(`a trial mount of overlayfs on an ID-mapped mount failed: ${overlay.because}`, OTHER_KERNEL_OR_DISK)
  }
  return mount.outcome === 'works' ? yes(`a trial mount worked: ${mount.because}`) : undefined
}

const OTHER_KERNEL_OR_DISK =
  "Use a node image whose kernel has ID-mapped mounts enabled, or move the kubelet's root to a local ext4 or xfs file system."

function judgeIdMappingByVersion({ release, major, minor }: Kernel, distro: Distro | undefined): Judgement {
  if (!atLeast({ major, minor }, [5, 12])) {
    return yes(
      `not needed on kernel ${release}`,
      'before kernel 5.12, files of root on the node belong to nobody in the workspace, and the first start changes the owner of every file (50 s for 0.5 GB)'
    )
  }
  if (isEl9(release, distro)) {
    return unsure(
      `kernel ${release} may have ID-mapped mounts disabled, as EL 9 kernels up to at least 9.1 have`,
      'Run the privileged helper, which tries a mount, or use another distribution.'
    )
  }
  return yes(`kernel ${release} has ID-mapped mounts`)
}

const EL = ['rhel', 'rhcos', 'rocky', 'almalinux', 'centos', 'ol']

/** EL is recognized by the release, or by the distribution if the release has no suffix; an unknown distribution may be EL. */
export const isEl9 = (release: string, distro: Distro | undefined): boolean =>
  /^5\.14\.0-/.test(release) &&
  (/\.el9/.test(release) || distro === undefined || EL.some(id => distro.id === id || distro.like.includes(id)))
