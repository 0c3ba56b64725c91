import { posix } from 'node:path'
import { HostError } from '../../host/host.ts'
import type { HostWriter } from '../../host/writer.ts'
import { JOURNAL, readJournal, writeJournal } from '../journal.ts'

const LOAD_AT_BOOT = '/etc/modules-load.d/berth-shiftfs.conf'

export interface Kept {
  readonly release: string
  /** The built module, as a path of this process. */
  readonly file: string
}

/** Installs the module for the next boot. Returns why that failed, empty if it succeeded. After a failure nothing is left. */
export async function persist(host: HostWriter, { release, file }: Kept): Promise<string> {
  const module = `/lib/modules/${release}/updates/berth/shiftfs.ko`
  const { shiftfs } = await readJournal(host)
  if (shiftfs === undefined) throw new Error('a module cannot be persisted that berth has not loaded')
  // The journal first: after a kill it may list a file that does not exist, but no file exists that it does not list.
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

/** Removes persisted files, for every kernel. A file that does not exist is no error. Throws `HostError`. */
export async function unpersist(host: HostWriter, files: readonly string[]): Promise<void> {
  mustBeOurs(files)
  // First the file that loads the module, then the module.
  for (const path of files.toReversed()) {
    await host.remove(path)
    if (path !== LOAD_AT_BOOT) await host.removeEmpty(posix.dirname(path))
  }
  for (const release of releasesOf(files)) await indexModules(host, release).catch(() => undefined)
  const { shiftfs } = await readJournal(host)
  if (shiftfs === undefined) return
  await writeJournal(host, { shiftfs: { ...shiftfs, files: shiftfs.files.filter(path => !files.includes(path)) } })
}

/** Throws `HostError` for a path that berth does not write: whoever can change the journal must not be able to delete other files by it. */
export function mustBeOurs(files: readonly string[]): void {
  const foreign = files.find(path => path !== LOAD_AT_BOOT && !MODULE.test(path))
  if (foreign === undefined) return
  const says = `it lists ${JSON.stringify(foreign)}, a file that berth never writes, so nothing is removed`
  throw new HostError(JOURNAL, 'EINVAL', { says })
}

const MODULE = /^\/lib\/modules\/\w[\w.+~-]*\/updates\/berth\/shiftfs\.ko$/

/** The node may have another kernel now. */
const releasesOf = (files: readonly string[]): readonly string[] =>
  files.flatMap(path => /^\/lib\/modules\/([^/]+)\//.exec(path)?.[1] ?? [])

async function indexModules(host: HostWriter, release: string): Promise<void> {
  const { status, stderr } = await host.exec(['depmod', '-b', host.inside('/'), release], { timeout: 60_000 })
  if (status !== 0) throw new Error(`depmod ended with status ${status}: ${stderr.trim()}`)
}
