import type { Proofs } from '../facts/proofs.ts'
import type { HostWriter } from '../host/writer.ts'
import { tryAll } from './try.ts'

export interface Trials {
  /** The proofs of this boot, this kernel and the modules that are loaded now; tried anew when one of these changed. */
  readonly prove: () => Promise<Proofs>
}

/** Remembers what the trials proved, so that a node that stays as it is is tried once. */
export function createTrials(host: HostWriter): Trials {
  let remembered: { readonly state: string; readonly proofs: Proofs } | undefined
  const prove = async (): Promise<Proofs> => {
    const state = await stateOf(host)
    if (remembered?.state !== state) remembered = { state, proofs: await tryAll(host) }
    return remembered.proofs
  }
  return { prove }
}

/** What a proof is bound to. Of a loaded module only the name counts: how often it is used changes all the time. */
async function stateOf(host: HostWriter): Promise<string> {
  const [boot, release, modules, filesystems] = await Promise.all(
    ['/proc/sys/kernel/random/boot_id', '/proc/sys/kernel/osrelease', '/proc/modules', '/proc/filesystems'].map(path =>
      host.read(path).catch(() => undefined)
    )
  )
  const names = (modules ?? '').split('\n').map(line => line.split(' ', 1)[0])
  return JSON.stringify([boot, release, names.toSorted(), filesystems])
}
