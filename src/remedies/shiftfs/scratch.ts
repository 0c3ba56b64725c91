import { lstat, mkdir, mkdtemp, readdir, rm, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'

/** Bytes. A build takes 2 MiB, and ten times as much with the debug information of some kernels. */
const LEAST_SPACE = 16 * 1024 * 1024

const PREFIX = 'berth-build-'

/**
 * Makes a new folder for one build, in a directory that only berth can write to. Its path below /tmp is known: another user who created it
 * first could replace the files of the build. Throws `Error`.
 */
export async function newBuildFolder(scratch: string): Promise<string> {
  await mkdir(scratch, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const why = await whyForeign(scratch)
  if (why !== '') throw new Error(why)
  return await mkdtemp(join(scratch, PREFIX))
}

/** Removes folders of builds that were killed. A folder that cannot be removed is left for the next time. */
export async function clearScratch(scratch: string): Promise<void> {
  if ((await whyForeign(scratch)) !== '') return
  const names = await readdir(scratch).catch(() => [])
  for (const name of names.filter(found => found.startsWith(PREFIX))) await removeFolder(join(scratch, name))
}

/** Tries several times, since a compiler that is being killed may still write into the folder. */
export const removeFolder = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }).catch(() => undefined)

/** Why a build is not possible in this directory, empty if it is. */
export async function whyNoScratch(scratch: string): Promise<string> {
  const foreign = await whyForeign(scratch)
  if (foreign !== '') return foreign
  const space = await statfs(scratch).catch(() => statfs(dirname(scratch)).catch(() => undefined))
  if (space === undefined) return `the folder for a scratch directory, ${dirname(scratch)}, is not there`
  const free = space.bavail * space.bsize
  return free < LEAST_SPACE ? `the scratch directory ${scratch} has ${Math.floor(free / 1024)} KiB free; expected 16 MiB` : ''
}

/** Why the directory is not safe, empty if only berth can write to it or it does not exist. */
async function whyForeign(scratch: string): Promise<string> {
  const found = await lstat(scratch).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error) return found.code === 'ENOENT' ? '' : `the scratch directory cannot be read: ${found.message}`
  const remove = `; remove ${scratch}, and berth creates it again`
  if (!found.isDirectory()) return `the scratch directory ${scratch} is not a directory${remove}`
  if (found.uid !== process.getuid?.()) return `the scratch directory ${scratch} belongs to the user ${found.uid}${remove}`
  // An earlier berth made it with mode 755, which others cannot write to either.
  const isWritable = (found.mode & 0o022) !== 0
  return isWritable
    ? `the scratch directory ${scratch} can be written by others (${(found.mode & 0o777).toString(8)})${remove}`
    : ''
}
