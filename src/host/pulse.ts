import { readFileSync, statSync } from 'node:fs'

/** What shows in an instant that something changed which a look should see: modules, file systems, limits, devices. */
const FILES = ['/proc/modules', '/proc/filesystems', '/proc/sys/user/max_user_namespaces'] as const
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
 * files that are in memory, a tenth of a millisecond in all, where a thread for each would cost ten times that.
 */
export const pulse = (root: string): string => {
  const base = root === '/' ? '' : root
  return [...FILES.map(path => withoutCounts(textOf(base + path))), ...PLACES.map(path => signOf(base + path))].join('\0')
}

/** How often a module is in use changes all the time on a busy node; which ones are there does not. */
const withoutCounts = (text: string): string => text.replace(/^(\w+) \d+ \d+ .*$/gm, '$1')

const textOf = (path: string): string => quietly(() => readFileSync(path, 'latin1'))

const signOf = (path: string): string =>
  quietly(() => {
    const { ino, mode, rdev, mtimeMs } = statSync(path)
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
