import type { HostReader } from '../host/host.ts'

/** One name, and the files of that name: the first counts, and those after it are masked. */
export interface ConfFile {
  readonly path: string
  readonly masked: readonly string[]
}

/**
 * Files as modprobe.d(5) and sysctl.d(5) have them: only `*.conf`; a file masks those of its name in later directories; all are read in
 * the order of their names. Of the directories the last two are one folder on most systems. Throws `HostError`.
 */
export async function confFiles(host: HostReader, directories: readonly string[]): Promise<readonly ConfFile[]> {
  const found = new Map<string, string[]>()
  const [second = '', last = ''] = directories.slice(-2)
  const isMerged = (await host.realpath(last)) === (await host.realpath(second))
  for (const directory of isMerged ? directories.slice(0, -1) : directories) {
    for (const name of (await host.list(directory)) ?? [])
      if (name.endsWith('.conf')) found.set(name, [...(found.get(name) ?? []), `${directory}/${name}`])
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, [path = '', ...masked]]) => ({ path, masked }))
}

/** A link to /dev/null, by which a file of the distribution is switched off. */
export const isNull = async (host: HostReader, path: string): Promise<boolean> => (await host.stat(path))?.device === '1:3'
