import { Unsure } from '../facts/fact.ts'
import { type Proof, type Proofs, TRIALS, type TrialName, untried } from '../facts/proofs.ts'
import { dataDirectory } from '../facts/storage.ts'
import { HostError } from '../host/host.ts'
import type { HostWriter } from '../host/writer.ts'
import { readProof, TRIAL_SECONDS } from './reading.ts'
import {
  FRAME,
  ID_MAPPED_MOUNT,
  OVERLAY_ON_ID_MAPPED,
  PROCFS,
  SCRATCH_NAME,
  SHIFTFS_ON_DISK,
  SHIFTFS_ON_OVERLAY,
  SWEEP
} from './scripts.ts'

interface Trial {
  /** sh, see scripts.ts. */
  readonly script: string
  /** In a scratch directory on the disk of the workspaces. */
  readonly onDisk: boolean
  /** File systems that must be registered already: mounting one would load its module, and a trial must not change the node. */
  readonly needs: readonly string[]
}

/** Every trial. Each runs in namespaces of its own, so they run at the same time. */
const trials: Readonly<Record<TrialName, Trial>> = {
  'id-mapped-mount': { script: ID_MAPPED_MOUNT, onDisk: true, needs: [] },
  'overlay-on-id-mapped': { script: OVERLAY_ON_ID_MAPPED, onDisk: true, needs: ['overlay'] },
  'shiftfs-on-disk': { script: SHIFTFS_ON_DISK, onDisk: true, needs: ['shiftfs'] },
  'shiftfs-on-overlay': { script: SHIFTFS_ON_OVERLAY, onDisk: true, needs: ['shiftfs', 'overlay'] },
  procfs: { script: PROCFS, onDisk: false, needs: [] }
}

export interface TryOptions {
  /** The kubelet's root directory, if the operator named it; otherwise it is detected. */
  readonly kubeletRoot?: string
  readonly before?: Proofs | undefined
}

/**
 * Makes every trial on the node, as root, and leaves nothing behind. A trial that cannot be made is `untried`; nothing is thrown.
 * Trials with a proof in `before` are not made again.
 */
export async function tryAll(host: HostWriter, { kubeletRoot = '', before }: TryOptions = {}): Promise<Proofs> {
  try {
    const place = await dataDirectory(host, kubeletRoot)
    const registered = parseFilesystems((await host.read('/proc/filesystems')) ?? '')
    await sweep(host, place)
    const proofOf = async (name: TrialName): Promise<Proof> =>
      before === undefined || before[name].outcome === 'untried' ? await tryOne(host, name, { place, registered }) : before[name]
    const proofs = await Promise.all(TRIALS.map(async name => [name, await proofOf(name)]))
    // A trial that was killed has not cleaned up.
    await sweep(host, place)
    return Object.fromEntries(proofs) as unknown as Proofs
  } catch (error) {
    if (!(error instanceof HostError || error instanceof Unsure)) throw error
    return untried(`the trials could not be made: ${error.message}`)
  }
}

/** The names in /proc/filesystems. */
export const parseFilesystems = (text: string): readonly string[] =>
  text.split('\n').flatMap(line => /^(?:nodev)?\t(\S+)$/.exec(line)?.[1] ?? [])

interface Surroundings {
  readonly place: string
  readonly registered: readonly string[]
}

async function tryOne(host: HostWriter, name: TrialName, { place, registered }: Surroundings): Promise<Proof> {
  const { script, onDisk, needs } = trials[name]
  const missing = needs.find(filesystem => !registered.includes(filesystem))
  if (missing !== undefined) return { outcome: 'untried', because: `${missing} is not loaded` }
  const shell = onDisk ? (['sh', '-c', FRAME, 'frame', host.inside(place), script] as const) : (['sh', '-c', script] as const)
  // timeout(1) enforces the limit even if this process dies; it kills the whole process group.
  const ended = await host.exec(['timeout', '--signal=KILL', `${TRIAL_SECONDS}`, ...shell], {
    timeout: (TRIAL_SECONDS + 1) * 1000
  })
  const { outcome, because } = readProof(name, ended)
  return { outcome, because: onDisk ? `${because} (in ${place})` : because }
}

/** Removes the scratch directories of trials that were killed. */
async function sweep(host: HostWriter, place: string): Promise<void> {
  const left = ((await host.list(place)) ?? []).filter(name => SCRATCH_NAME.test(name))
  if (left.length === 0) return
  const paths = left.map(name => `${host.inside(place).replace(/\/$/, '')}/${name}`)
  await host.exec(['sh', '-c', SWEEP, 'sweep', ...paths], { timeout: TRIAL_SECONDS * 1000 })
}
