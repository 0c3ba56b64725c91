/** What can be asked of a node, and how an answer is told from a missing thing and from a failure to look. */

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

/** CPU, memory (bytes) and disks (bytes), for people to read: never alone the ground of a label. */
export interface Inventory {
  readonly cpu: { readonly model: string; readonly cores: number }
  readonly memory: { readonly total: number; readonly available: number }
  readonly disks: readonly { readonly name: string; readonly size: number; readonly type: string }[]
}

/**
 * The questions that a look at a node may ask. Paths are absolute and below the host root.
 * `undefined` means that the thing is not there, which is knowledge; every failure to look throws a `HostError`.
 */
export interface HostReader {
  /** The whole text of a regular file. */
  read(path: string): Promise<string | undefined>
  /** The lines of a text file that match; the file must end with a newline, or it may have been cut short. */
  lines(path: string, pattern: RegExp): Promise<readonly string[] | undefined>
  /** The names in a directory, sorted. */
  list(path: string): Promise<readonly string[] | undefined>
  /** The kind, mode and device number of what a path leads to. */
  stat(path: string): Promise<FileStat | undefined>
  /** The path with every symbolic link resolved inside the host root. */
  realpath(path: string): Promise<string | undefined>
  statfs(path: string): Promise<FsSpace | undefined>
  /** Standard output of a program of the node, given by its absolute path; `undefined` where it cannot be run. */
  run(argv: readonly [string, ...string[]]): Promise<string | undefined>
  /** The processor architecture by its Go name, `amd64` or `arm64`, as Kubernetes writes it. */
  arch(): Promise<string>
  inventory(): Promise<Inventory | undefined>
}

/** What was looked at and what was seen there, in a few words. */
export interface Evidence {
  readonly source: string
  readonly saw: string
}

/** Code of a `HostError`: the node may have it or not, and it is not among what this process sees of the node. */
export const NOT_MOUNTED = 'ENOTMOUNTED'

/** A look that failed: the thing may be there, or not; nobody knows. */
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

/** A file is refused past this size (bytes); the largest that is asked for, modules.dep, has about 1 MB. */
export const SIZE_CAP = 8 * 1024 * 1024

/** The matching lines of a text; a text that ends inside a line is refused, since what followed is not known. */
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

/** The text, when it ends with a newline or is empty. A file that was cut short could hide the line that decides. */
export const completeText = (path: string, text: string): string => {
  if (text !== '' && !text.endsWith('\n')) {
    throw new HostError(path, 'ECUT', { says: 'it ends in the middle of a line, so it may be cut short' })
  }
  return text
}

/** An errno as people know it. */
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
