import { openSync, readFileSync, readSync, statSync } from 'node:fs'
import { HostError } from './host.ts'
import { viewOf } from './view.ts'

/** What shows in an instant that something changed which a look should see: modules, file systems, limits, devices. */
const LIMIT = '/proc/sys/user/max_user_namespaces'
const MODULES = '/sys/module'
/** Where /sys is not to be seen. */
const LISTS = ['/proc/modules', '/proc/filesystems'] as const
const PLACES = [
  '/dev/fuse',
  '/dev/nvidiactl',
  '/dev/nvidia0',
  '/sys/fs/cgroup/system.slice/sysbox-mgr.service',
  '/sys/fs/cgroup/system.slice/sysbox-fs.service'
] as const

/**
 * What gives a text that differs when one of these, or of `others` (paths of our own, not the node's), differs. It is asked every
 * second, and most of what the idle agent costs is this: so, plain synchronous calls on what is in memory, where a thread for each
 * would cost ten times that. inotify is no help: the kernel tells nothing of /proc and /sys, and of /dev every byte that anybody writes
 * to /dev/null.
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

/** What cannot be seen from here never changes here either. */
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

/** A text of some bytes that is read again and again: opened once, since to open it costs more than to read it. */
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
 * Each module has a folder, and a folder counts its folders (inode(7), st_nlink): one call, where the lists of modules and of the file
 * systems that they bring are kilobytes that the kernel writes anew for every reader.
 */
function modulesOf(modules: string, lists: readonly string[]): string {
  try {
    const folder = statSync(modules, QUIET)
    return folder === undefined ? lists.map(path => withoutCounts(textOf(path))).join(' ') : `${folder.nlink}`
  } catch (error) {
    return codeOf(error)
  }
}

/** How often a module is in use changes all the time on a busy node; which ones are there does not. */
const withoutCounts = (text: string): string => text.replace(/^(\w+) \d+ \d+ .*$/gm, '$1')

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    return codeOf(error)
  }
}

/** Whether what a path leads to is still the same. */
function signOf(path: string): string {
  try {
    const stats = statSync(path, QUIET)
    if (stats === undefined) return '\n'
    const { ino, mode, rdev, mtimeMs } = stats
    // A device's time changes whenever it is used.
    return `\n${ino} ${mode} ${rdev === 0 ? mtimeMs : rdev}`
  } catch (error) {
    return `\n${codeOf(error)}`
  }
}

/** What is not there is the usual case, and an error object for it would be most of what a pulse costs. */
const QUIET = { throwIfNoEntry: false } as const

/** A change from readable to unreadable is a change too. */
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'error'
