import type { HostWriter } from '../../host/writer.ts'
import { bootOf } from '../boot.ts'
import { type Journal, readJournal, writeJournal } from '../journal.ts'

type Claim = NonNullable<Journal['shiftfs']>

/**
 * Before the module is loaded, so that a kill in the middle leaves a trace. What was persisted under an earlier boot is still ours to
 * remove.
 */
export async function claimModule(host: HostWriter): Promise<void> {
  const { shiftfs } = await readJournal(host)
  await writeJournal(host, { shiftfs: { boot: await bootOf(host), files: shiftfs?.files ?? [], state: 'loading' } })
}

/** Afterwards, by what is really there: a module that we could not load, or that we unloaded again, is not ours. */
export async function settleClaim(host: HostWriter, state: 'loaded' | 'others'): Promise<void> {
  const { shiftfs } = await readJournal(host)
  if (shiftfs === undefined) return
  const isEmpty = state === 'others' && shiftfs.files.length === 0
  await writeJournal(host, { shiftfs: isEmpty ? undefined : { ...shiftfs, state } })
}

/**
 * Whether a module that is loaded now is ours. A load that nobody saw the end of counts as ours. Under another boot it can only be what
 * we had persisted.
 */
export const isOurs = async (host: HostWriter, { boot, files, state = 'loaded' }: Claim): Promise<boolean> =>
  (await bootOf(host)) === boot ? state !== 'others' : files.length > 0
