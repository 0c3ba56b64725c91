import type { Clock } from '../cycle/cycle.ts'
import type { PlanTerms } from '../remedies/all.ts'
import type { Config } from './config.ts'

/** What a command gets besides its configuration. Tests pass their own values. */
export interface Surroundings {
  /**
   * Writes text to standard output. Await the result before you print megabytes more: otherwise all of it stays in memory until a slow
   * reader has read it.
   */
  readonly print: (text: string) => unknown
  readonly clock: Clock
  /** The file of this program, for commands that start it a second time. */
  readonly program?: string
}

/** Runs one command and returns its exit status. */
export type Command = (config: Config, surroundings: Surroundings) => Promise<number>

/** A failure that is not a bug in berth: its message is printed without a stack trace. */
export class CommandError extends Error {
  /** The exit status: 1 if the command failed, 2 if its options or operand are wrong. */
  readonly status: 1 | 2
  constructor(message: string, options: { readonly status?: 1 | 2; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'CommandError'
    this.status = options.status ?? 1
  }
}

export const termsOf = ({ options, policy }: Config): PlanTerms => ({
  permits: options.permit,
  maxUserNamespaces: options['max-user-namespaces'],
  policy
})
