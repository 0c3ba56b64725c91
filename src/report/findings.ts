import { hang, type Paint } from '../paint.ts'

/** What came of one check of an installation. `unknown`: it could not be tried. */
export interface Finding {
  readonly check: string
  readonly answer: 'ok' | 'no' | 'unknown'
  /** What was seen. */
  readonly saw: string
  readonly cautions: readonly string[]
  /** What to do about it; empty where all is well. */
  readonly wayOut: string
}

/** Columns from the left at which the answer and the text begin; notes begin early, so that a command stays on one line. */
const ANSWER_AT = 15
const TEXT_AT = ANSWER_AT + 9
const NOTE_AT = 6

/** One line a check, what follows from it below, and how many there are of each answer. */
export const findingsTable = (findings: readonly Finding[], paint: Paint): string =>
  `${[...findings.flatMap(finding => linesOf(finding, paint)), '', summary(findings)].join('\n')}\n`

function linesOf({ check, answer, saw, cautions, wayOut }: Finding, paint: Paint): readonly string[] {
  const color = answer === 'ok' ? 'yes' : answer
  const lead = `  ${paint.bold(check.padEnd(ANSWER_AT - 2))}${paint.answer(color, answer.padEnd(TEXT_AT - ANSWER_AT))}`
  const below = (text: string) => hang(' '.repeat(NOTE_AT), NOTE_AT, text, paint.columns, paint.dim)
  return [
    ...hang(lead, TEXT_AT, saw, paint.columns),
    ...cautions.flatMap(caution => below(`caution: ${caution}`)),
    ...(wayOut === '' ? [] : below(`way out: ${wayOut}`))
  ]
}

function summary(findings: readonly Finding[]): string {
  const count = (answer: Finding['answer']) => findings.filter(finding => finding.answer === answer).length
  return `${count('ok')} ok, ${count('no')} no, ${count('unknown')} unknown`
}
