import { readFileSync, statSync } from 'node:fs'

/** What shows in an instant that something changed which a look should see: modules, file systems, limits, devices. */
const LIMIT = '/proc/sys/user/max_user_namespaces'
const MODULES = '/sys/module'
/** Where /sys is not to be seen. */
const LISTS = ['/proc/modules', '/proc/filesystems'] as const
const PLACES = [
  '/dev/fuse',
  '/dev/nvidiactl',
  '/dev/nvidia0',
  '/run/sysbox/sysmgr.sock',
  '/run/sysbox/sysfs.sock',
  '/etc/modprobe.d'
] as const

/**
 * A text that differs when one of these differs. Files of /proc cannot be watched, so this is asked every second: synchronous calls on
 * what is in memory, some hundredths of a millisecond in all, where a thread for each would cost ten times that.
 */
export const pulse = (root: string): string => {
  const base = root === '/' ? '' : root
  return [modulesOf(base), textOf(base + LIMIT), ...PLACES.map(path => signOf(base + path))].join('\0')
}

/**
 * Each module has a folder, and a folder counts its folders (inode(7), st_nlink): one call, where the lists of modules and of the file
 * systems that they bring are kilobytes that the kernel writes anew for every reader.
 */
const modulesOf = (base: string): string =>
  quietly(() => {
    const folder = statSync(base + MODULES, { throwIfNoEntry: false })
    return folder === undefined ? LISTS.map(path => withoutCounts(textOf(base + path))).join('\0') : `${folder.nlink}`
  })

/** How often a module is in use changes all the time on a busy node; which ones are there does not. */
const withoutCounts = (text: string): string => text.replace(/^(\w+) \d+ \d+ .*$/gm, '$1')

const textOf = (path: string): string => quietly(() => readFileSync(path, 'latin1'))

/** Whether what a path leads to is still the same. */
export const signOf = (path: string): string =>
  quietly(() => {
    // What is not there is the usual case, and an error object for it would be most of what a pulse costs.
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return ''
    const { ino, mode, rdev, mtimeMs } = stats
    // A device's time changes whenever it is used.
    return rdev === 0 ? `${ino} ${mode} ${mtimeMs}` : `${ino} ${mode} ${rdev}`
  })

/** A change from readable to unreadable is a change too. */
const quietly = (look: () => string): string => {
  try {
    return look()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error'
  }
}
