import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { Kernel } from '../../facts/kernel.ts'
import { sourceFolder } from '../../facts/shiftfs-sources.ts'

export interface Source {
  /** The files of a build by name, as they were read and checked: no file is read a second time. */
  readonly files: ReadonlyMap<string, Buffer>
  /** SHA-256 over names and contents. */
  readonly checksum: string
}

/** Limits of one file (bytes) and of the number of files. Sources are some kilobytes; a disk that is mounted here gives an error. */
const LARGEST = 1024 * 1024
const MOST_FILES = 64
const WANTED = /^(Makefile|Kbuild|[\w.-]+\.[ch])$/

/** The source for this kernel in the operator's directory. Throws an `Error` with the problem and the path. */
export async function findSource(directory: string, kernel: Kernel): Promise<Source> {
  const folder = sourceFolder(kernel)
  if (folder === undefined) throw new Error(`no source of shiftfs is made for kernel ${kernel.major}.${kernel.minor}`)
  if (directory === '') throw new Error('no source was given; name the directory that holds it with --shiftfs-source DIR')
  const path = join(directory, folder)
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`--shiftfs-source has no folder ${folder} that could be read (${error.code}) for kernel ${kernel.release}`)
  })
  const wanted = names.filter(name => WANTED.test(name)).sort()
  if (!wanted.includes('shiftfs.c')) throw new Error(`the folder ${folder} of --shiftfs-source has no shiftfs.c`)
  if (wanted.length > MOST_FILES) throw new Error(`the folder ${folder} of --shiftfs-source has more than ${MOST_FILES} files`)
  const files = new Map<string, Buffer>()
  for (const name of wanted) files.set(name, await readTrusted(join(path, name), `${name} in the folder ${folder}`))
  return { files, checksum: checksumOf(files) }
}

/**
 * Reads a file that only root or the helper's user can have written, since the module runs in the kernel. A symbolic link to such a file
 * is fine, as in the volume of a ConfigMap: the opened file is checked.
 */
async function readTrusted(path: string, name: string): Promise<Buffer> {
  let file: FileHandle | undefined
  try {
    // Without O_NONBLOCK, opening a FIFO would block for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    const why = whyNotTrusted(await file.stat())
    if (why !== '') throw new Error(`${name} of --shiftfs-source ${why}`)
    return await readCapped(file, name)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === undefined ? error : new Error(`${name} of --shiftfs-source cannot be read: ${message}`, { cause: error })
  } finally {
    await file?.close()
  }
}

interface Owned {
  readonly uid: number
  readonly mode: number
  readonly isFile: () => boolean
}

function whyNotTrusted(found: Owned): string {
  if (!found.isFile()) return 'is not a regular file'
  if (found.uid !== 0 && found.uid !== process.getuid?.())
    return `belongs to the user ${found.uid}, who could put code into the kernel with it; expected root (chown root)`
  if ((found.mode & 0o022) !== 0) return 'can be written by others than its owner; expected none (chmod go-w)'
  return ''
}

/** Counts the bytes while it reads: the file may grow after stat. */
async function readCapped(file: FileHandle, name: string): Promise<Buffer> {
  const buffer = Buffer.alloc(LARGEST + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) return Buffer.from(buffer.subarray(0, length))
    length += bytesRead
  }
  throw new Error(`${name} of --shiftfs-source is larger than 1 MiB`)
}

function checksumOf(files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash('sha256')
  for (const [name, text] of files) hash.update(`${name}\0`).update(text).update('\0')
  return hash.digest('hex')
}
