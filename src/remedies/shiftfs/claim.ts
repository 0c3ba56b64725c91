import type { HostWriter } from '../../host/writer.ts'
import { bootOf } from '../boot.ts'
import { type Journal, readJournal, writeJournal } from '../journal.ts'

type Claim = NonNullable<Journal['shiftfs']>

/**
 * Writes the claim before the module is loaded, so that a kill in the middle leaves a trace. Files that were persisted in an earlier boot
 * stay in the claim.
 */
export async function claimModule(host: HostWriter): Promise<void> {
  const { shiftfs } = await readJournal(host)
  await writeJournal(host, { shiftfs: { boot: await bootOf(host), files: shiftfs?.files ?? [], state: 'loading' } })
}

/** Writes the result after the load. `others`: berth could not load the module, or has unloaded it, so a loaded one is not ours. */
export async function settleClaim(host: HostWriter, state: 'loaded' | 'others'): Promise<void> {
  const { shiftfs } = await readJournal(host)
  if (shiftfs === undefined) return
  const isEmpty = state === 'others' && shiftfs.files.length === 0
  await writeJournal(host, { shiftfs: isEmpty ? undefined : { ...shiftfs, state } })
}

/**
 * Whether the module that is loaded now is ours. A load whose end was not recorded counts as ours. In another boot it can only be ours if
 * it was persisted.
 */
export const isOurs = async (host: HostWriter, { boot, files, state = 'loaded' }: Claim): Promise<boolean> =>
  (await bootOf(host)) === boot ? state !== 'others' : files.length > 0
