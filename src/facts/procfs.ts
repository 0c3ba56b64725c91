import { type Detector, defineFact } from './define-fact.ts'
import { type Mount, nodeMounts } from './mounts.ts'

/** Directories of /proc that are made to be mounted on: they are empty, so the kernel lets a new procfs pass them over. */
const PLACES = ['/proc/sys/fs/binfmt_misc', '/proc/fs/nfsd', '/proc/openprom', '/proc/fs/xfs/xqm']

/**
 * What is mounted over files and directories of /proc. As long as anything is, the kernel refuses a new procfs in a user namespace
 * (fs/namespace.c, mount_too_revealing), which is what Sysbox mounts first.
 */
export const detectProcfs: Detector<readonly string[]> = async ({ host }) => mountsOverProc(await nodeMounts(host))

/** Their mount points, each once, in alphabetical order. */
export function mountsOverProc(mounts: readonly Mount[]): readonly string[] {
  const points = mounts.map(({ mountPoint }) => mountPoint).filter(point => point.startsWith('/proc/'))
  return [...new Set(points)].filter(point => !PLACES.includes(point)).toSorted()
}

export const procfsFact = defineFact({
  name: 'procfs',
  describes: 'what is mounted over parts of `/proc`',
  detect: detectProcfs,
  format: points => (points.length === 0 ? 'nothing is mounted over its files' : `mounted over: ${points.join(', ')}`)
})
