/** One line of proc_pid_mountinfo(5), without options and source. */
export interface MountLine {
  /** Major and minor number of the file system. */
  readonly device: string
  /** The directory of the file system that is mounted. */
  readonly root: string
  readonly point: string
  readonly type: string
}

const LINE = /^\d+ \d+ (\d+:\d+) (\S+) (\/\S*) \S+(?: \w+(?::\d+)?)* - (\S+) /

/** The mounts of a table by mount point. Of two mounts at one mount point the last counts: it covers the first. Other lines are left out. */
export function parseMountTable(text: string): ReadonlyMap<string, MountLine> {
  const mounts = new Map<string, MountLine>()
  for (const line of text.split('\n')) {
    const [, device, root = '', point = '', type = ''] = LINE.exec(line) ?? []
    if (device !== undefined) mounts.set(plain(point), { device, root: plain(root), point: plain(point), type })
  }
  return mounts
}

/** Decodes the octal escapes of space, tab, newline and backslash. */
const plain = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** Whether a path equals the directory or lies below it. */
export const isAt = (path: string, directory: string): boolean =>
  directory === '/' || path === directory || path.startsWith(`${directory}/`)

/** The mount that holds a path: the one with the longest mount point. */
export function holding(mounts: ReadonlyMap<string, MountLine>, path: string): MountLine | undefined {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const found = mounts.get(at)
    if (found !== undefined) return found
  }
  return mounts.get('/')
}
