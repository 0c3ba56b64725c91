import type { Ended, Execution } from './execute.ts'
import type { HostReader } from './host.ts'
import type { Locked, LockTerms } from './lock.ts'

/**
 * Changes a node. Only remedies and trials get a `HostWriter`, so that the type prevents detectors from changing the node.
 * Paths are relative to the host root, as for a `HostReader`; every failure throws a `HostError`.
 */
export interface HostWriter extends HostReader {
  /** Replaces a file by a rename on the same file system: readers see the old text or the new one. Makes its directory. */
  write(path: string, text: string, mode?: number): Promise<void>
  /** Writes into an existing file, as files of /proc/sys require. */
  put(path: string, text: string): Promise<void>
  /** Copies a file of this process into the host, by a rename. */
  copy(from: string, path: string): Promise<void>
  /** Removes a file. A file that does not exist is no error. */
  remove(path: string): Promise<void>
  /** Removes a directory if it is empty. */
  removeEmpty(path: string): Promise<void>
  /** Locks a file. Makes it and its directory. */
  lock(path: string, terms: LockTerms): Promise<Locked>
  /** The path in this process and its children. */
  inside(path: string): string
  /** Runs a program of the helper's own image, by name or absolute path, as root. */
  exec(argv: readonly [string, ...string[]], how: Execution): Promise<Ended>
}
