/** The questions about a node. An answer, a path that does not exist and a failure to read are three different results. */

export type FileKind = 'file' | 'directory' | 'link' | 'character' | 'block' | 'fifo' | 'socket'

export interface FileStat {
  readonly kind: FileKind
  /** Permission bits, as in `0o666`. */
  readonly mode: number
  /** `major:minor` of a device node, empty otherwise. */
  readonly device: string
}

/** Bytes, as statfs(2) counts them for an unprivileged user. */
export interface FsSpace {
  readonly free: number
  readonly total: number
}

/** CPU, memory (bytes) and disks (bytes), for people to read. No label depends on the inventory alone. */
export interface Inventory {
  readonly cpu: { readonly model: string; readonly cores: number }
  readonly memory: { readonly total: number; readonly available: number }
  readonly disks: readonly { readonly name: string; readonly size: number; readonly type: string }[]
}

/**
 * Reads a node. Paths are absolute and relative to the host root.
 * `undefined` means that the path does not exist, which is a known fact; every failure to read throws a `HostError`.
 */
export interface HostReader {
  /** The whole text of a regular file. */
  read(path: string): Promise<string | undefined>
  /** The matching lines of a text file. The file must end with a newline: otherwise it may be incomplete. */
  lines(path: string, pattern: RegExp): Promise<readonly string[] | undefined>
  /** The names in a directory, sorted. */
  list(path: string): Promise<readonly string[] | undefined>
  /** The kind, mode and device number, with symbolic links followed. */
  stat(path: string): Promise<FileStat | undefined>
  /** The path with every symbolic link resolved inside the host root. */
  realpath(path: string): Promise<string | undefined>
  statfs(path: string): Promise<FsSpace | undefined>
  /** Standard output of a program of the node, given by its absolute path; `undefined` if it cannot be run. */
  run(argv: readonly [string, ...string[]]): Promise<string | undefined>
  /** The processor architecture by its Go name, `amd64` or `arm64`, as Kubernetes writes it. */
  arch(): Promise<string>
  inventory(): Promise<Inventory | undefined>
}

/** What was read and what was found there, in a few words. */
export interface Evidence {
  readonly source: string
  readonly saw: string
}

/** The code of a `HostError` for a path of the node that is not mounted into this pod. The path may exist on the node. */
export const NOT_MOUNTED = 'ENOTMOUNTED'

/** A failure to read: it is unknown whether the path exists. */
export class HostError extends Error {
  readonly path: string
  readonly code: string
  constructor(path: string, code: string, options?: { readonly says?: string; readonly cause?: unknown }) {
    super(`${path} cannot be read: ${options?.says ?? code}`, { cause: options?.cause })
    this.name = 'HostError'
    this.path = path
    this.code = code
  }
}

/** Larger files are refused (bytes). The largest file that is needed, modules.dep, has about 1 MB. */
export const SIZE_CAP = 8 * 1024 * 1024

/** The matching lines of a text. Throws `HostError` if the text ends inside a line, since the rest is unknown. */
export const matchingLines = (path: string, text: string, pattern: RegExp): readonly string[] =>
  completeText(path, text)
    .split('\n')
    .filter(line => pattern.test(line))

/**
 * The source of a pattern: a recording and the reader process keep no flags, and would match other lines than the detector asked for.
 * Throws `TypeError` for a pattern with flags, which is a bug in the detector.
 */
export function patternSource({ source, flags }: RegExp): string {
  if (flags !== '') throw new TypeError(`the pattern /${source}/${flags} has flags; expected none`)
  return source
}

/** The text, if it ends with a newline or is empty. Throws `HostError` otherwise: the missing part could hold the line that decides. */
export const completeText = (path: string, text: string): string => {
  if (text !== '' && !text.endsWith('\n')) {
    throw new HostError(path, 'ECUT', { says: 'it ends in the middle of a line, so it may be cut short' })
  }
  return text
}

/** The text of an errno in messages. */
export const ERRNO_TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'EACCES (permission denied)',
  EPERM: 'EPERM (operation not permitted)',
  EIO: 'EIO (input/output error)',
  ELOOP: 'ELOOP (too many symbolic links)',
  EISDIR: 'EISDIR (it is a directory)',
  EFBIG: `EFBIG (larger than ${SIZE_CAP / 1024 / 1024} MiB)`,
  ESTALE: 'ESTALE (stale file handle)',
  ETIMEDOUT: 'ETIMEDOUT (no answer in time)'
}
