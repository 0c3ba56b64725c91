import type { Ended, Execution } from './execute.ts'
import type { HostReader } from './host.ts'
import type { Locked, LockTerms } from './lock.ts'

/**
 * What may be done to a node besides looking. Only a remedy and a trial get one: the type forbids a detector to change the node.
 * Paths are the host's, as for a `HostReader`; every failure throws a `HostError`.
 */
export interface HostWriter extends HostReader {
  /** The whole text of a file, by a rename on the same file system: a reader sees the old one or the new one. Makes its directory. */
  write(path: string, text: string, mode?: number): Promise<void>
  /** Writes into a file that is there, as a file of /proc/sys wants it. */
  put(path: string, text: string): Promise<void>
  /** Copies a file of our own view into the host, by a rename. */
  copy(from: string, path: string): Promise<void>
  /** What is not there is gone already. */
  remove(path: string): Promise<void>
  /** A directory that holds nothing any more; one that does stays. */
  removeEmpty(path: string): Promise<void>
  /** Takes the lock that a file stands for, and makes its directory. */
  lock(path: string, terms: LockTerms): Promise<Locked>
  /** The same path as this process and its children reach it. */
  inside(path: string): string
  /** Runs a program of our own image, by name or absolute path, as root. */
  exec(argv: readonly [string, ...string[]], how: Execution): Promise<Ended>
}
