import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
  type StatsFs,
  statfsSync,
  statSync
} from 'node:fs'
import { open, readdir, realpath, stat, statfs } from 'node:fs/promises'

/** A file that is being read. */
export interface OpenFile {
  readonly stat: () => Stats | Promise<Stats>
  /** The next bytes, at most 64 KiB; none at the end. */
  readonly next: () => Buffer | Promise<Buffer>
  readonly close: () => void | Promise<void>
}

/** The file system calls of an observation. Errors carry the errno. */
export interface Calls {
  readonly open: (path: string) => OpenFile | Promise<OpenFile>
  readonly stat: (path: string) => Stats | Promise<Stats>
  readonly readdir: (path: string) => string[] | Promise<string[]>
  readonly realpath: (path: string) => string | Promise<string>
  readonly statfs: (path: string) => StatsFs | Promise<StatsFs>
}

/** Paths that the kernel keeps in memory: they always answer at once, and a thread for each call costs ten times the call. */
const IN_MEMORY = /^\/(proc|sys|dev|run)(\/|$)/
/** The GPU operator mounts the root of its driver container at /run/nvidia; /proc/self/root leads to disks. */
const NOT_IN_MEMORY = /^\/(run\/nvidia|proc\/self\/root)(\/|$)/

export const isInMemory = (path: string): boolean => IN_MEMORY.test(path) && !NOT_IN_MEMORY.test(path)

/** The calls for a path of the node. A path that may lie on a disk or a file server is read in a thread. */
export const callsFor = (path: string): Calls => (isInMemory(path) ? AT_ONCE : THROUGH_THREADS)

const CHUNK = 64 * 1024
const READING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

const THROUGH_THREADS: Calls = {
  open: async path => {
    const handle = await open(path, READING)
    return {
      stat: () => handle.stat(),
      next: async () => {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK)
        return buffer.subarray(0, bytesRead)
      },
      close: () => handle.close()
    }
  },
  stat,
  readdir,
  realpath,
  statfs
}

/** One buffer for all reads: each read is copied out before anything else runs. */
const shared = Buffer.allocUnsafeSlow(CHUNK)

/** Synchronous calls. */
export const AT_ONCE: Calls = {
  open: path => {
    const file = openSync(path, READING)
    return {
      stat: () => fstatSync(file),
      next: () => Buffer.from(shared.subarray(0, readSync(file, shared))),
      close: () => closeSync(file)
    }
  },
  stat: statSync,
  readdir: path => readdirSync(path),
  realpath: path => realpathSync.native(path),
  statfs: path => statfsSync(path)
}
