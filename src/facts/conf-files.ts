import type { HostReader } from '../host/host.ts'

/** Files of one name: `path` is the one that counts, and it masks the others. */
export interface ConfFile {
  readonly path: string
  readonly masked: readonly string[]
}

/**
 * Configuration files by the rules of modprobe.d(5) and sysctl.d(5): only `*.conf`, ordered by name; a file masks files of the same name
 * in later directories. The last two directories are one folder on most systems. Throws `HostError`.
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

/** A link to /dev/null disables the file of the same name that the distribution brings. */
export const isNull = async (host: HostReader, path: string): Promise<boolean> => (await host.stat(path))?.device === '1:3'
