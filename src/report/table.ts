import type { Snapshot } from '../cycle/snapshot.ts'
import type { Fact } from '../facts/fact.ts'
import type { FactName } from '../facts/observe.ts'
import { labels } from '../node-sync/labels.ts'
import { hang, type Paint } from '../paint.ts'
import { printable } from '../printable.ts'
import type { Outcome } from '../remedies/outcome.ts'
import type { PlanStep } from '../remedies/plan.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { factText } from './fact-text.ts'

/** The report for people: verdicts, facts with where each was read, labels, ways out, remedies. */
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

/** A title and its lines, or nothing when there are none. */
export const section = (title: string, lines: readonly string[], paint: Paint): string =>
  lines.length === 0 ? '' : `${[paint.bold(title), ...lines].join('\n')}\n`

const verdictsOf = ({ verdicts }: Snapshot): readonly Verdict[] => Object.values(verdicts)

/** Columns from the left at which the texts of a section begin. */
const TEXT_AT = { verdict: 23, fact: 21, remedy: 20 } as const

export const workspaceLines = (snapshot: Snapshot, paint: Paint): readonly string[] =>
  verdictsOf(snapshot).flatMap(({ name, answer, because, cautions }) => [
    ...hang(`  ${paint.bold(name.padEnd(12))}${paint.answer(answer, answer.padEnd(9))}`, TEXT_AT.verdict, because, paint.columns),
    ...cautions.flatMap(caution => indented(TEXT_AT.verdict, `caution: ${caution}`, paint))
  ])

const indented = (at: number, text: string, paint: Paint): readonly string[] =>
  hang(' '.repeat(at), at, text, paint.columns, paint.dim)

export const factLines = (snapshot: Snapshot, paint: Paint): readonly string[] =>
  (Object.entries(snapshot.facts) as [FactName, Fact<unknown>][]).flatMap(([name, fact]) => {
    const lead = `  ${paint.bold(name.padEnd(19))}`
    const text = printable(fact.known ? factText(name, snapshot.facts) : `unknown: ${fact.why}`)
    const from = printable(sources(fact))
    const style = (line: string) => (fact.known ? line : paint.answer('unknown', line))
    if (TEXT_AT.fact + text.length + 3 + from.length <= paint.columns) return [`${lead}${style(text)}   ${paint.dim(from)}`]
    return [...hang(lead, TEXT_AT.fact, text, paint.columns, style), ...indented(TEXT_AT.fact, from, paint)]
  })

/** A fact rests on up to some 30 files; the report names the first few, `explain` and JSON all of them. */
const SHOWN = 3

function sources({ evidence }: Fact<unknown>): string {
  const names = [...new Set(evidence.map(({ source }) => source))]
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  return names.length === 0 ? 'from no file' : `from ${names.slice(0, SHOWN).join(', ')}${more}`
}

export const labelLines = (snapshot: Snapshot, prefix: string, paint: Paint): readonly string[] =>
  Object.entries(labels(snapshot, prefix)).map(([key, value]) => `  ${key}=${paint.answer(value)}`)

/** Each way out once, with the capabilities that it opens. */
export function wayOutLines(snapshot: Snapshot, paint: Paint): readonly string[] {
  const ways = new Map<string, string[]>()
  for (const { name, wayOut } of verdictsOf(snapshot)) {
    for (const way of wayOut) ways.set(way, [...(ways.get(way) ?? []), name])
  }
  return [...ways].flatMap(([way, names]) => hang('  - ', 4, `${way} (${names.join(', ')})`, paint.columns))
}

/** A remedy as people are told of it: what was decided, or what came of it. */
export type RemedyStory = Omit<Outcome, 'result'> & { readonly result: Outcome['result'] | PlanStep['decision'] }

/** What could be mended, or what came of it where a helper did or planned it by its own permits. */
export const remediesOf = ({ plan, outcomes }: Pick<Snapshot, 'plan' | 'outcomes'>): readonly RemedyStory[] =>
  plan.map(({ remedy, decision, because }) => {
    const outcome = outcomes.find(one => one.remedy === remedy)
    return outcome ?? { remedy, result: decision, because, at: '', tail: '' }
  })

export const remedyLines = (snapshot: Snapshot, paint: Paint): readonly string[] =>
  remediesOf(snapshot).flatMap(({ remedy, result, because }) =>
    hang(`  ${paint.bold(remedy.padEnd(TEXT_AT.remedy - 2))}`, TEXT_AT.remedy, `${result}: ${because}`, paint.columns)
  )
