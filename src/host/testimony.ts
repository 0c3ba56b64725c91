import type { HostError, HostReader } from './host.ts'

export type Verb = keyof HostReader

/** One question to the node, and its answer or its error. */
export interface Testimony {
  readonly verb: Verb
  /** A path, a command line, or empty for a question about the whole machine. */
  readonly subject: string
  /** The pattern of a `lines` question, empty otherwise. */
  readonly pattern: string
  readonly answer: unknown
  readonly error: HostError | undefined
}
