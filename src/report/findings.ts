import type { Paint } from '../paint.ts'
import { paragraph, row } from '../terminal-layout.ts'

/** The result of one check of an installation. `unknown`: it could not be checked. */
export interface Finding {
  readonly check: string
  readonly answer: 'ok' | 'no' | 'unknown'
  /** What was seen. */
  readonly saw: string
  readonly cautions: readonly string[]
  /** What to do about it; empty if the answer is `ok`. */
  readonly wayOut: string
}

const WIDTH = { check: 13, answer: 9 } as const

/** Small, so that a command in a note fits on one line. */
const NOTE_INDENT = 6

/** One line for each check with its cautions and way out below, then the number of each answer. */
export const findingsTable = (findings: readonly Finding[], paint: Paint): string =>
  `${[...findings.flatMap(finding => linesOf(finding, paint)), '', summary(findings)].join('\n')}\n`

function linesOf({ check, answer, saw, cautions, wayOut }: Finding, paint: Paint): readonly string[] {
  const color = answer === 'ok' ? 'yes' : answer
  const cells = [
    { text: '  ' },
    { text: check, width: WIDTH.check, style: paint.bold },
    { text: answer, width: WIDTH.answer, style: (text: string) => paint.answer(color, text) }
  ]
  const below = (text: string) => paragraph(text, paint.columns, NOTE_INDENT, paint.dim)
  return [
    ...row({ cells, text: saw, columns: paint.columns }),
    ...cautions.flatMap(caution => below(`caution: ${caution}`)),
    ...(wayOut === '' ? [] : below(`way out: ${wayOut}`))
  ]
}

function summary(findings: readonly Finding[]): string {
  const count = (answer: Finding['answer']) => findings.filter(finding => finding.answer === answer).length
  return `${count('ok')} ok, ${count('no')} no, ${count('unknown')} unknown`
}
