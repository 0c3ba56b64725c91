import type { Snapshot } from '../cycle/snapshot.ts'
import { ALL_FACTS } from '../facts/all.ts'
import type { Fact } from '../facts/fact.ts'
import type { FactName } from '../facts/observe.ts'
import { labels } from '../node-sync/labels.ts'
import type { Paint } from '../paint.ts'
import { printable } from '../printable.ts'
import type { Outcome } from '../remedies/outcome.ts'
import type { PlanStep } from '../remedies/plan.ts'
import { type Cell, padded, paragraph, row } from '../terminal-layout.ts'
import { CAPABILITIES } from '../verdicts/all.ts'
import type { Answer, Verdict } from '../verdicts/verdict.ts'
import { factText } from './fact-text.ts'

/** The report for people: verdicts, facts and their sources, labels, ways out, remedies. */
export const reportTable = (snapshot: Snapshot, prefix: string, paint: Paint): string =>
  [
    section('Workspaces', workspaceLines(snapshot, paint), paint),
    section('Facts', factLines(snapshot, paint), paint),
    section('Labels', labelLines(snapshot, prefix, paint), paint),
    section('Ways out', wayOutLines(snapshot, paint), paint),
    section('Remedies', remedyLines(snapshot, paint), paint)
  ]
    .filter(text => text !== '')
    .join('\n')

/** A title and its lines; empty if there are no lines. */
export const section = (title: string, lines: readonly string[], paint: Paint): string =>
  lines.length === 0 ? '' : `${[paint.bold(title), ...lines].join('\n')}\n`

const verdictsOf = ({ verdicts }: Snapshot): readonly Verdict[] => Object.values(verdicts)

/** The width of a column, with the gap to the next one. */
const columnOf = (names: readonly string[]): number => Math.max(...names.map(({ length }) => length)) + 2

const WIDTH = {
  capability: columnOf(CAPABILITIES),
  answer: columnOf(['unknown']),
  fact: columnOf(ALL_FACTS.map(({ name }) => name)),
  remedy: 18
} as const

export interface AnswerRow {
  readonly capability: string
  readonly answer: Answer
  readonly text: string
  readonly cautions: readonly string[]
  readonly indent: number
}

/** A capability, its answer and the reason, with the cautions below the reason. */
export function answerRow({ capability, answer, text, cautions, indent }: AnswerRow, paint: Paint): readonly string[] {
  const cells: readonly Cell[] = [
    { text: ' '.repeat(indent) },
    { text: capability, width: WIDTH.capability, style: paint.bold },
    { text: answer, width: WIDTH.answer, style: line => paint.answer(answer, line) }
  ]
  const textAt = indent + WIDTH.capability + WIDTH.answer
  return [
    ...row({ cells, text, columns: paint.columns }),
    ...cautions.flatMap(caution => paragraph(`caution: ${caution}`, paint.columns, textAt, paint.dim))
  ]
}

export const workspaceLines = (snapshot: Snapshot, paint: Paint): readonly string[] =>
  verdictsOf(snapshot).flatMap(({ name, answer, because, cautions }) =>
    answerRow({ capability: name, answer, text: because, cautions, indent: 2 }, paint)
  )

export const factLines = (snapshot: Snapshot, paint: Paint): readonly string[] =>
  (Object.entries(snapshot.facts) as [FactName, Fact<unknown>][]).flatMap(([name, fact]) => {
    const cells: readonly Cell[] = [{ text: '  ' }, { text: name, width: WIDTH.fact, style: paint.bold }]
    const textAt = 2 + WIDTH.fact
    const text = printable(fact.known ? factText(name, snapshot.facts) : `unknown: ${fact.why}`)
    const from = printable(sources(fact))
    const style = (line: string) => (fact.known ? line : paint.answer('unknown', line))
    if (textAt + text.length + 3 + from.length <= paint.columns) {
      return [`${cells.map(padded).join('')}${style(text)}   ${paint.dim(from)}`]
    }
    return [...row({ cells, text, columns: paint.columns, style }), ...paragraph(from, paint.columns, textAt, paint.dim)]
  })

/** A fact may depend on 30 files: the report names the first few, `explain` and JSON name all. */
const SHOWN = 3

function sources({ evidence }: Fact<unknown>): string {
  const names = [...new Set(evidence.map(({ source }) => source))]
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  return names.length === 0 ? 'from no file' : `from ${names.slice(0, SHOWN).join(', ')}${more}`
}

export const labelLines = (snapshot: Snapshot, prefix: string, paint: Paint): readonly string[] =>
  Object.entries(labels(snapshot, prefix)).map(([key, value]) => `  ${key}=${paint.answer(value)}`)

/** Each way out once, with the capabilities that it makes possible. */
export function wayOutLines(snapshot: Snapshot, paint: Paint): readonly string[] {
  const ways = new Map<string, string[]>()
  for (const { name, wayOut } of verdictsOf(snapshot)) {
    for (const way of wayOut) ways.set(way, [...(ways.get(way) ?? []), name])
  }
  return [...ways].flatMap(([way, names]) =>
    row({ cells: [{ text: '  - ' }], text: `${way} (${names.join(', ')})`, columns: paint.columns })
  )
}

/** A remedy with its decision, or with its result if a helper ran it. */
export type RemedyResult = Omit<Outcome, 'result'> & { readonly result: Outcome['result'] | PlanStep['decision'] }

/** All remedies. The outcome of a helper replaces the decision of this process, because the helper has permits of its own. */
export const remediesOf = ({ plan, outcomes }: Pick<Snapshot, 'plan' | 'outcomes'>): readonly RemedyResult[] =>
  plan.map(({ remedy, decision, because }) => {
    const outcome = outcomes.find(one => one.remedy === remedy)
    return outcome ?? { remedy, result: decision, because, at: '', tail: '' }
  })

export const remedyLines = (snapshot: Snapshot, paint: Paint): readonly string[] =>
  remediesOf(snapshot).flatMap(({ remedy, result, because }) =>
    row({
      cells: [{ text: '  ' }, { text: remedy, width: WIDTH.remedy, style: paint.bold }],
      text: `${result}: ${because}`,
      columns: paint.columns
    })
  )
