import { openSync, readFileSync, readSync, statSync } from 'node:fs'
import { HostError } from './host.ts'
import { viewOf } from './view.ts'

/** Signs of a change that the next observation should see: modules, file systems, limits, devices. */
const LIMIT = '/proc/sys/user/max_user_namespaces'
const MODULES = '/sys/module'
/** Read in place of /sys/module if /sys is not mounted. */
const LISTS = ['/proc/modules', '/proc/filesystems'] as const
const PLACES = [
  '/dev/fuse',
  '/dev/nvidiactl',
  '/dev/nvidia0',
  '/sys/fs/cgroup/system.slice/sysbox-mgr.service',
  '/sys/fs/cgroup/system.slice/sysbox-fs.service'
] as const

/**
 * Returns a function whose text differs after a change of the node, or of `others` (paths of this process). The agent calls it every
 * second, which is most of its cost when idle. The calls are therefore synchronous, on files that the kernel keeps in memory; a thread
 * for each call would cost ten times as much. inotify does not help: it reports nothing for /proc and /sys, and every write to /dev/null
 * for /dev.
 */
export function createPulse(root: string, others: readonly string[] = []): () => string {
  const place = placesOf(root === '/' ? '' : root.replace(/\/+$/, ''))
  const places = [...PLACES.map(path => place(path)), ...others]
  const limit = keptOpen(place(LIMIT))
  const [modules, ...lists] = [MODULES, ...LISTS].map(path => place(path)) as [string, ...string[]]
  return () => {
    let signs = `${limit()} ${modulesOf(modules, lists)}`
    for (const place of places) signs += signOf(place)
    return signs
  }
}

/** A path that is not mounted never changes here, so any path will do for it. */
function placesOf(base: string): (path: string) => string {
  const view = viewOf(base)
  return path => {
    try {
      return view.place(path)
    } catch (error) {
      if (error instanceof HostError) return base + path
      throw error
    }
  }
}

/** Reads a small file again and again. It stays open, since opening it costs more than reading it. */
function keptOpen(path: string): () => string {
  const buffer = Buffer.alloc(64)
  let file: number | undefined
  return () => {
    try {
      file ??= openSync(path, 'r')
      return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0))
    } catch (error) {
      return codeOf(error)
    }
  }
}

/**
 * The number of modules: each has a directory, and a directory counts its subdirectories (inode(7), st_nlink). That is one call. The lists
 * in /proc are kilobytes that the kernel writes again for every reader.
 */
function modulesOf(modules: string, lists: readonly string[]): string {
  try {
    const folder = statSync(modules, QUIET)
    return folder === undefined ? lists.map(path => withoutCounts(textOf(path))).join(' ') : `${folder.nlink}`
  } catch (error) {
    return codeOf(error)
  }
}

/** The list of modules without their use counts, which change all the time on a busy node. */
const withoutCounts = (text: string): string => text.replace(/^(\w+) \d+ \d+ .*$/gm, '$1')

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    return codeOf(error)
  }
}

/** A text that changes when the file at the path is replaced or changed. */
function signOf(path: string): string {
  try {
    const stats = statSync(path, QUIET)
    if (stats === undefined) return '\n'
    const { ino, mode, rdev, mtimeMs } = stats
    // The time of a device changes whenever it is used.
    return `\n${ino} ${mode} ${rdev === 0 ? mtimeMs : rdev}`
  } catch (error) {
    return `\n${codeOf(error)}`
  }
}

/** Most of these paths do not exist, and an error object for each would be most of the cost. */
const QUIET = { throwIfNoEntry: false } as const

/** The error code stands for an unreadable file: becoming unreadable is a change too. */
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'error'
