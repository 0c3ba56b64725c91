import { access, constants, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { ownFolder } from './own-folder.ts'

/** `berth-test` in the cache folder of whoever runs the tests: what is built or downloaded once. */
export function cacheFolder(): string {
  const wanted = process.env['XDG_CACHE_HOME']
  const base = wanted && isAbsolute(wanted) ? wanted : join(homedir(), '.cache') // a relative path counts as unset: XDG says so
  return join(base, 'berth-test')
}

/** A folder of the cache that is whole when it has all of these files. */
export interface CachedFolder {
  /** Changes with everything that the content depends on. */
  readonly name: string
  readonly files: readonly string[]
}

export const pathOfCached = ({ name }: CachedFolder): string => join(cacheFolder(), name)

export async function isCached(wanted: CachedFolder): Promise<boolean> {
  const found = await Promise.all(wanted.files.map(file => isReadable(join(pathOfCached(wanted), file))))
  return found.every(Boolean)
}

/** Makes it in a draft and renames that as a whole: another run at the same time, or a kill, spoils nothing. */
export async function makeCached(wanted: CachedFolder, make: (draft: string) => Promise<void>): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true })
  const draft = await ownFolder(cacheFolder(), 'draft-')
  try {
    const folder = join(draft, 'folder')
    await mkdir(folder)
    await make(folder)
    const target = pathOfCached(wanted)
    await mkdir(join(target, '..'), { recursive: true })
    await moveInto(folder, target, wanted)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** A rename onto a folder that another run has finished meanwhile fails; its content is as good as ours. */
async function moveInto(folder: string, target: string, wanted: CachedFolder): Promise<void> {
  try {
    await rename(folder, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    if (await isCached(wanted)) return
    await rm(target, { recursive: true, force: true }) // somebody removed a file from it: make it whole
    await rename(folder, target)
  }
}

const isReadable = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false
  )
