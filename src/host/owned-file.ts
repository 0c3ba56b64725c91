import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ERRNO_TEXTS, HostError } from './host.ts'

/** What the helper has to tell takes a few kilobytes; whoever writes more is not the helper. */
export const HANDOVER_CAP = 64 * 1024

/**
 * The file that the helper leaves for the agent, from a directory that both can write: no link is followed, nothing but a regular
 * file is opened for long, and no more than the cap is read. `undefined` when there is none. Throws `HostError`.
 */
export async function readHandover(path: string): Promise<string | undefined> {
  let file: FileHandle | undefined
  try {
    // Without O_NONBLOCK a fifo that somebody put there would hold us for ever.
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

/** The size that stat tells may be another one a moment later: counted as it is read. */
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
