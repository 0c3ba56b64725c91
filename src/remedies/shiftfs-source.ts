import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kernel } from '../facts/kernel.ts'
import { sourceFolder } from '../facts/shiftfs-sources.ts'

export interface Source {
  readonly directory: string
  /** Names of the files that a build needs. */
  readonly files: readonly string[]
  /** SHA-256 over names and contents, so that a changed source is another one. */
  readonly checksum: string
}

/** Sources are some kilobytes; whoever mounts a disk here gets an error and no full scratch directory. */
const LARGEST = 1024 * 1024
const WANTED = /^(Makefile|Kbuild|[\w.-]+\.[ch])$/

/** The source for this kernel in the operator's directory. Throws `Error` with what is missing and where it was looked for. */
export async function findSource(directory: string, kernel: Kernel): Promise<Source> {
  const folder = sourceFolder(kernel)
  if (folder === undefined) throw new Error(`no source of shiftfs is made for kernel ${kernel.major}.${kernel.minor}`)
  if (directory === '') throw new Error('no source was given; name the directory that holds it with --shiftfs-source DIR')
  const path = join(directory, folder)
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`--shiftfs-source has no folder ${folder} that could be read (${error.code}) for kernel ${kernel.release}`)
  })
  const files = names.filter(name => WANTED.test(name)).sort()
  if (!files.includes('shiftfs.c')) throw new Error(`the folder ${folder} of --shiftfs-source has no shiftfs.c`)
  const hash = createHash('sha256')
  for (const name of files) {
    const { size } = await stat(join(path, name))
    if (size > LARGEST) throw new Error(`${name} in the folder ${folder} of --shiftfs-source is larger than 1 MiB`)
    hash
      .update(`${name}\0`)
      .update(await readFile(join(path, name)))
      .update('\0')
  }
  return { directory: path, files, checksum: hash.digest('hex') }
}
