import type { Answer } from '../../../src/verdicts/verdict.ts'

/** The answers of one capability on every recorded machine, for capabilities that say the same of most. */
export interface Answers {
  /** Why most machines have this answer stands where the table does. */
  readonly usually: Answer
  /** Machines with another answer, by name. */
  readonly except: Readonly<Record<string, Answer>>
}

export const answerOf = ({ usually, except }: Answers, machine: string): Answer => except[machine] ?? usually
