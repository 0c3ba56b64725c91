import type { Clock } from '../cycle/cycle.ts'
import type { PlanTerms } from '../remedies/plan.ts'
import type { Config } from './config.ts'

/** What a command is given besides its configuration; values, so that a test can give others. */
export interface Surroundings {
  /** Writes text to standard output. Who prints megabytes awaits what it returns, or all of it is in memory until a slow reader has it. */
  readonly print: (text: string) => unknown
  readonly clock: Clock
  /** The file of this program, for who starts it a second time. */
  readonly program?: string
}

export type Command = (config: Config, surroundings: Surroundings) => Promise<number>

/** A failure that is the world's and not ours: told in its sentence, without a stack trace. */
export class CommandError extends Error {
  /** 1 for what failed, 2 for what was asked wrongly. */
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
