import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ERRNO_TEXTS, HostError } from './host.ts'

/** The helper writes a few kilobytes; a larger file is not the helper's. */
export const HANDOVER_CAP = 64 * 1024

/**
 * Reads the file that the helper writes for the agent, in a directory that others may be able to write to. It follows no link, reads only
 * a regular file, and not more than the cap. Returns `undefined` if there is none. Throws `HostError`.
 */
export async function readHandover(path: string): Promise<string | undefined> {
  let file: FileHandle | undefined
  try {
    // Without O_NONBLOCK, opening a FIFO would block for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if (!(await file.stat()).isFile()) throw new HostError(path, 'ENOTFILE', { says: 'it is not a regular file' })
    return await readCapped(file, path)
  } catch (error) {
    if (error instanceof HostError) throw error
    const { code = '', message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const says = code === 'ELOOP' ? 'it is a symbolic link' : (ERRNO_TEXTS[code] ?? message)
    throw new HostError(path, code, { says, cause: error })
  } finally {
    await file?.close()
  }
}

/** Counts the bytes while it reads: the file may grow after stat. */
async function readCapped(file: FileHandle, path: string): Promise<string> {
  const buffer = Buffer.alloc(HANDOVER_CAP + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) return new TextDecoder('utf-8', { fatal: false }).decode(buffer.subarray(0, length))
    length += bytesRead
  }
  throw new HostError(path, 'EFBIG', { says: `it is larger than ${HANDOVER_CAP / 1024} KiB` })
}
