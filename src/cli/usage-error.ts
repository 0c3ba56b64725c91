import type { CommandName } from './commands.ts'

/** Wrong arguments or variables: every problem, each with the value and what was expected. Exit status 2. */
export class UsageError extends Error {
  readonly problems: readonly string[]
  /** The command whose help lists the right options. */
  readonly command: CommandName | undefined
  constructor(problems: readonly string[], command?: CommandName) {
    super(problems.join('\n'))
    this.name = 'UsageError'
    this.problems = problems
    this.command = command
  }
}
