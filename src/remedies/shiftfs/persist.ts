import { posix } from 'node:path'
import { HostError } from '../../host/host.ts'
import type { HostWriter } from '../../host/writer.ts'
import { JOURNAL, readJournal, writeJournal } from '../journal.ts'

const LOAD_AT_BOOT = '/etc/modules-load.d/berth-shiftfs.conf'

export interface Kept {
  readonly release: string
  /** The module as it was built, in our own view. */
  readonly file: string
}

/** Puts the module where the next boot finds it. Resolves to why that failed, empty when it did not; then nothing is left. */
export async function persist(host: HostWriter, { release, file }: Kept): Promise<string> {
  const module = `/lib/modules/${release}/updates/berth/shiftfs.ko`
  const { shiftfs } = await readJournal(host)
  if (shiftfs === undefined) throw new Error('a module cannot be persisted that berth has not loaded')
  // The list first: a kill in the middle leaves a list of files that may not be there, and no file that is not listed.
  const added = [module, LOAD_AT_BOOT].filter(path => !shiftfs.files.includes(path))
  await writeJournal(host, { shiftfs: { ...shiftfs, files: [...shiftfs.files, ...added] } })
  try {
    await host.copy(file, module)
    await indexModules(host, release)
    await host.write(LOAD_AT_BOOT, '# written by berth\nshiftfs\n')
    return ''
  } catch (error) {
    await unpersist(host, added)
    return (error as Error).message
  }
}

/** Removes what was persisted, for every kernel; that a file is gone already is fine. Throws `HostError`. */
export async function unpersist(host: HostWriter, files: readonly string[]): Promise<void> {
  mustBeOurs(files)
  // First what loads it, then what is loaded.
  for (const path of files.toReversed()) {
    await host.remove(path)
    if (path !== LOAD_AT_BOOT) await host.removeEmpty(posix.dirname(path))
  }
  for (const release of releasesOf(files)) await indexModules(host, release).catch(() => undefined)
  const { shiftfs } = await readJournal(host)
  if (shiftfs === undefined) return
  await writeJournal(host, { shiftfs: { ...shiftfs, files: shiftfs.files.filter(path => !files.includes(path)) } })
}

/** The journal is a file like others: whoever could write into it must not have us delete what they could not. Throws `HostError`. */
export function mustBeOurs(files: readonly string[]): void {
  const foreign = files.find(path => path !== LOAD_AT_BOOT && !MODULE.test(path))
  if (foreign === undefined) return
  const says = `it lists ${JSON.stringify(foreign)}, a file that berth never writes, so nothing is removed`
  throw new HostError(JOURNAL, 'EINVAL', { says })
}

const MODULE = /^\/lib\/modules\/\w[\w.+~-]*\/updates\/berth\/shiftfs\.ko$/

/** A node may have got another kernel since. */
const releasesOf = (files: readonly string[]): readonly string[] =>
  files.flatMap(path => /^\/lib\/modules\/([^/]+)\//.exec(path)?.[1] ?? [])

async function indexModules(host: HostWriter, release: string): Promise<void> {
  const { status, stderr } = await host.exec(['depmod', '-b', host.inside('/'), release], { timeout: 60_000 })
  if (status !== 0) throw new Error(`depmod ended with status ${status}: ${stderr.trim()}`)
}
