import { isInMemory } from './calls.ts'
import { type HostReader, patternSource } from './host.ts'
import { localHost } from './local.ts'
import { createReader, type ReaderOptions } from './reader.ts'
import type { Question } from './reader-process.ts'

export interface ApartHost extends HostReader {
  /** Ends the reader process. */
  readonly close: () => void
}

/**
 * The real node, mounted at `root`. A separate process answers every question that needs a disk or a file server. A mount that does not
 * answer (a dead FUSE, a gone NFS server) blocks that process and not this one: it is killed and replaced, the path is unknown with that
 * reason, and the mount is skipped until it answers. A thread is not enough: a thread that waits in the kernel cannot be ended.
 */
export function apartHost(root: string, options: ReaderOptions): ApartHost {
  const here = localHost(root)
  const reader = createReader(root, options)
  const ask =
    <T>(verb: Exclude<Question['verb'], 'lines'>, inThisProcess: (path: string) => Promise<T>) =>
    (path: string): Promise<T> =>
      isInMemory(path) ? inThisProcess(path) : (reader.ask({ verb, path }) as Promise<T>)
  return {
    ...here,
    read: ask('read', here.read),
    list: ask('list', here.list),
    stat: ask('stat', here.stat),
    realpath: ask('realpath', here.realpath),
    statfs: ask('statfs', here.statfs),
    lines: (path, pattern) =>
      isInMemory(path)
        ? here.lines(path, pattern)
        : (reader.ask({ verb: 'lines', path, pattern: patternSource(pattern) }) as Promise<readonly string[] | undefined>),
    close: reader.close
  }
}
