import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, open, readdir, rename, rmdir, unlink } from 'node:fs/promises'
import { posix } from 'node:path'
import { execute } from './execute.ts'
import { HostError } from './host.ts'
import { localHost } from './local.ts'
import { takeLock } from './lock.ts'
import { resolveInside } from './resolve.ts'
import type { HostWriter } from './writer.ts'

/** A later writer removes temporary files of killed writers that are older than this (milliseconds). */
const STALE = 10_000

/**
 * Reads and changes the real node, mounted at `root`; every path is resolved inside it. If the last part of a path is a symbolic link,
 * `write` and `copy` replace the link and `remove` removes it. They never follow it: whoever may write into the directory could point it
 * at any file.
 */
export function localWriter(root: string): HostWriter {
  const base = root === '/' ? '' : root.replace(/\/+$/, '')
  const inside = (path: string) => base + path
  const renamed = (path: string, fill: (temporary: string) => Promise<void>) =>
    asWriteError(path, async () => await replace(await placeFor(base, path), fill))

  return {
    ...localHost(root),
    inside,
    write: (path, text, mode = 0o644) =>
      renamed(path, async temporary => {
        const handle = await open(temporary, 'wx', mode)
        try {
          await handle.writeFile(text)
          // The mode of `open` is reduced by the umask.
          await handle.chmod(mode)
          await handle.sync()
        } finally {
          await handle.close()
        }
      }),
    copy: (from, path) =>
      renamed(path, async temporary => {
        await copyFile(from, temporary, constants.COPYFILE_EXCL)
        await chmod(temporary, 0o644)
        await sync(temporary)
      }),
    put: (path, text) => asWriteError(path, () => putInto(path, resolveInside(base, path), base, text)),
    remove: path =>
      asWriteError(path, async () => {
        const directory = resolveInside(base, posix.dirname(path))
        if (directory !== undefined) await unlink(posix.join(base + directory, posix.basename(path))).catch(unlessGone)
      }),
    removeEmpty: path =>
      asWriteError(path, async () => {
        const directory = resolveInside(base, posix.dirname(path))
        if (directory !== undefined) await rmdir(posix.join(base + directory, posix.basename(path))).catch(unlessInUse)
      }),
    lock: (path, terms) => asWriteError(path, async () => await takeLock(await placeFor(base, path), terms)),
    exec: execute
  }
}

/** The path of a file in this process. Makes its directory. Symbolic links above the file are resolved inside the root. */
async function placeFor(base: string, path: string): Promise<string> {
  if (!path.startsWith('/') || path.endsWith('/') || /(^|\/)\.\.?(\/|$)/.test(path)) {
    throw Object.assign(new Error('it is not a plain absolute path of a file'), { code: 'EINVAL' })
  }
  return posix.join(base + (await makeDirectory(base, posix.dirname(path))), posix.basename(path))
}

async function makeDirectory(base: string, path: string): Promise<string> {
  const there = resolveInside(base, path)
  if (there !== undefined) return there
  const parent = await makeDirectory(base, posix.dirname(path))
  const made = posix.join(parent, posix.basename(path))
  // EEXIST: another writer has made it in the meantime.
  await mkdir(base + made, 0o755).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await sync(base + parent)
  return made
}

/** Replaces a file: readers see the old one or the new one, also after a power failure. Only a kill leaves a temporary file. */
async function replace(place: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const [directory, prefix] = [posix.dirname(place), `.${posix.basename(place)}.berth-`]
  const temporary = posix.join(directory, prefix + Math.random().toString(36).slice(2, 12))
  try {
    await fill(temporary)
    await rename(temporary, place)
  } catch (error) {
    await unlink(temporary).catch(unlessGone)
    throw error
  }
  await sync(directory)
  await sweep(directory, prefix)
}

async function sweep(directory: string, prefix: string): Promise<void> {
  const names = (await readdir(directory)).filter(name => name.startsWith(prefix))
  for (const name of names) {
    const path = posix.join(directory, name)
    const stats = await lstat(path).catch(unlessGone)
    if (stats !== undefined && stats.mtimeMs < Date.now() - STALE) await unlink(path).catch(unlessGone)
  }
}

/** Writes into an existing file without truncating it: a file of /proc takes one write, or refuses it as a whole. */
async function putInto(path: string, real: string | undefined, base: string, text: string): Promise<void> {
  if (real === undefined) throw Object.assign(new Error('it does not exist'), { code: 'ENOENT' })
  const handle = await open(base + real, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW)
  try {
    if (!(await handle.stat()).isFile()) throw Object.assign(new Error(`${path} is not a file`), { code: 'EINVAL' })
    await handle.write(text)
  } finally {
    await handle.close()
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } catch (error) {
    // EINVAL: the file system does not support fsync for a directory.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}

const unlessGone = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

/** ENOTDIR: a link or a file, which berth has not made. */
const unlessInUse = (error: NodeJS.ErrnoException): void => {
  if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(error.code ?? '')) throw error
}

async function asWriteError<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof HostError) throw error
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    const failure = new HostError(path, code, { cause: error })
    failure.message = `${path} cannot be written: ${message}`
    throw failure
  }
}
