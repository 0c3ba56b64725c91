import { attempt } from '../facts/attempt.ts'
import { mountHolding, nodeMounts } from '../facts/mounts.ts'
import { type Proofs, TRIALS } from '../facts/proofs.ts'
import { dataPlace } from '../facts/storage.ts'
import type { HostWriter } from '../host/writer.ts'
import { tryAll } from './try.ts'

export interface Trials {
  /** The proofs of this boot, this kernel and the modules that are loaded now; tried anew when one of these changed. */
  readonly prove: () => Promise<Proofs>
}

/** After so long what could not be tried is tried again, and each time it waits twice as long (milliseconds). */
const FIRST_PAUSE = 60_000
const LONGEST_PAUSE = 3_600_000
/** What was proved is proved anew at least so often (milliseconds). */
const A_DAY = 24 * 3_600_000

interface Remembered {
  readonly state: string
  readonly proofs: Proofs
  readonly pause: number
  readonly again: number
  /** When the oldest of them was made. */
  readonly since: number
}

/**
 * Remembers what the trials proved, so that a node that stays as it is is tried once. What could not be tried is not known for good:
 * the disk may have been full. `elapsed` gives milliseconds.
 */
export function createTrials(host: HostWriter, elapsed: () => number, kubeletRoot = ''): Trials {
  let remembered: Remembered | undefined
  const prove = async (): Promise<Proofs> => {
    const state = await stateOf(host, kubeletRoot)
    const isValid = remembered?.state === state && elapsed() - remembered.since < A_DAY
    const before = isValid ? remembered : undefined
    if (before !== undefined && elapsed() < before.again) return before.proofs
    const proofs = await tryAll(host, { kubeletRoot, before: before?.proofs })
    const pause = before === undefined ? FIRST_PAUSE : Math.min(LONGEST_PAUSE, 2 * before.pause)
    const isWhole = TRIALS.every(name => proofs[name].outcome !== 'untried')
    const again = isWhole ? Number.POSITIVE_INFINITY : elapsed() + pause
    remembered = { state, proofs, pause, again, since: before?.since ?? elapsed() }
    return proofs
  }
  return { prove }
}

/** What a proof is bound to. Of a loaded module only the name counts: how often it is used changes all the time. */
async function stateOf(host: HostWriter, kubeletRoot: string): Promise<string> {
  const [boot, release, modules, filesystems] = await Promise.all(
    ['/proc/sys/kernel/random/boot_id', '/proc/sys/kernel/osrelease', '/proc/modules', '/proc/filesystems'].map(path =>
      host.read(path).catch(() => undefined)
    )
  )
  const names = (modules ?? '').split('\n').map(line => line.split(' ', 1)[0])
  return JSON.stringify([boot, release, names.toSorted(), filesystems, await diskOf(host, kubeletRoot)])
}

/** The mount that the trials are made on: what worked on one disk proves nothing of another that was mounted over it. */
async function diskOf(host: HostWriter, kubeletRoot: string): Promise<unknown> {
  const found = await attempt(async () => {
    const place = await dataPlace(host, kubeletRoot)
    const { device, mountPoint, type } = mountHolding(await nodeMounts(host), place) ?? {}
    return [place, device, mountPoint, type]
  })
  return found.ok ? found.value : found.why
}
