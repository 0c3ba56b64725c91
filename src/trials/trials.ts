import { attempt } from '../facts/attempt.ts'
import type { Attempt } from '../facts/fact.ts'
import { type Binding, type Made, readBinding, readUptime } from '../facts/proof-binding.ts'
import { type Proofs, TRIALS } from '../facts/proofs.ts'
import { growing } from '../growing-wait.ts'
import type { HostWriter } from '../host/writer.ts'
import { tryAll } from './run-trials.ts'

export interface Trials {
  /** The proofs for this boot, this kernel and the modules that are loaded now. Trials are made again when one of these has changed. */
  readonly prove: () => Promise<Proofs>
  /** What the last proofs depend on; `undefined` if it could not be read, so that it is unknown whether they still hold. */
  readonly made: () => Made | undefined
}

/** The pauses before a trial that could not be made is tried again (milliseconds). */
const PAUSE = { first: 60_000, longest: 3_600_000 }
/** Every proof is made again after this time (milliseconds). */
const A_DAY = 24 * 3_600_000

interface Remembered {
  readonly state: string
  readonly made: Made | undefined
  readonly proofs: Proofs
  /** How many times in a row at least one trial could not be made. */
  readonly failures: number
  readonly again: number
  /** When the oldest of the proofs was made. */
  readonly since: number
}

/**
 * Remembers the proofs, so that the trials are made once on a node that does not change. A trial that could not be made is tried again: the
 * disk may have been full. `elapsed` returns milliseconds.
 */
export function createTrials(host: HostWriter, elapsed: () => number, kubeletRoot = ''): Trials {
  let remembered: Remembered | undefined
  const prove = async (): Promise<Proofs> => {
    const binding = await attempt(() => readBinding(host, kubeletRoot))
    const state = JSON.stringify([...(await kernelOf(host)), binding])
    const isValid = remembered?.state === state && elapsed() - remembered.since < A_DAY
    const before = isValid ? remembered : undefined
    if (before !== undefined && elapsed() < before.again) return before.proofs
    const { made, since } = before ?? { made: await madeNow(host, binding), since: elapsed() }
    const proofs = await tryAll(host, { kubeletRoot, before: before?.proofs })
    const failures = (before?.failures ?? 0) + 1
    const isWhole = TRIALS.every(name => proofs[name].outcome !== 'untried')
    const again = isWhole ? Number.POSITIVE_INFINITY : elapsed() + growing(PAUSE, failures)
    remembered = { state, made, proofs, failures, again, since }
    return proofs
  }
  return { prove, made: () => remembered?.made }
}

/** Boot, release and the names of the loaded modules, without their use counts, which change all the time. */
async function kernelOf(host: HostWriter): Promise<readonly unknown[]> {
  const [boot, release, modules] = await Promise.all(
    ['/proc/sys/kernel/random/boot_id', '/proc/sys/kernel/osrelease', '/proc/modules'].map(path =>
      host.read(path).catch(() => undefined)
    )
  )
  const names = (modules ?? '').split('\n').map(line => line.split(' ', 1)[0])
  return [boot, release, names.toSorted()]
}

async function madeNow(host: HostWriter, binding: Attempt<Binding>): Promise<Made | undefined> {
  const uptime = await attempt(() => readUptime(host))
  return binding.ok && uptime.ok ? { ...binding.value, uptime: uptime.value } : undefined
}
