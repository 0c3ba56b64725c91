import { type Detector, defineFact } from './define-fact.ts'
import { type Mount, nodeMounts } from './mounts.ts'

/** Empty directories of /proc that exist as mount points; a mount there does not block a new procfs. */
const MOUNT_POINTS = ['/proc/sys/fs/binfmt_misc', '/proc/fs/nfsd', '/proc/openprom', '/proc/fs/xfs/xqm']

/**
 * The mounts over files and directories of /proc. With any of them, the kernel refuses a new procfs in a user namespace
 * (fs/namespace.c, mount_too_revealing), and Sysbox mounts one first.
 */
export const detectProcfs: Detector<readonly string[]> = async ({ host }) => mountsOverProc(await nodeMounts(host))

/** The mount points without duplicates, in alphabetical order. */
export function mountsOverProc(mounts: readonly Mount[]): readonly string[] {
  const points = mounts.map(({ mountPoint }) => mountPoint).filter(point => point.startsWith('/proc/'))
  return [...new Set(points)].filter(point => !MOUNT_POINTS.includes(point)).toSorted()
}

export const procfsFact = defineFact({
  name: 'procfs',
  describes: 'mounts over parts of `/proc`',
  detect: detectProcfs,
  format: points => (points.length === 0 ? 'nothing is mounted over /proc' : `something is mounted over ${points.join(', ')}`)
})
