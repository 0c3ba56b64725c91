import type { Snapshot } from '../cycle/snapshot.ts'
import type { FactName } from '../facts/observe.ts'
import type { Paint } from '../paint.ts'
import { paragraph, row } from '../terminal-layout.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { section } from './terminal-report.ts'

/** One node of the tree: its line, with and without colours, and the branches below it. */
interface Branch {
  /** The part before the text. `plain` is the same without colours, to measure it. */
  readonly head: string
  readonly plain: string
  readonly text: string
  readonly branches: readonly Branch[]
}

/** One verdict as a tree, each leaf with the files that it depends on and what was read there; then the ways out. */
export const explainTree = (verdict: Verdict, snapshot: Snapshot, paint: Paint): string => {
  const lines = draw(branchOf(verdict, snapshot, paint, new Set()), '', '', paint)
  const ways = verdict.wayOut.flatMap(way => row({ cells: [{ text: '  - ' }], text: way, columns: paint.columns }))
  return [`${lines.join('\n')}\n`, section('Ways out', ways, paint)].filter(text => text !== '').join('\n')
}

function branchOf(verdict: Verdict, snapshot: Snapshot, paint: Paint, shown: Set<FactName>): Branch {
  const { name, answer, because, cautions, parts, facts } = verdict
  return {
    head: `${paint.bold(name)} ${paint.answer(answer)}: `,
    plain: `${name} ${answer}: `,
    text: because,
    branches: [
      ...(parts.length > 0 ? [] : cautions.map(caution => plain(`caution: ${caution}`))),
      ...parts.map(part => branchOf(part, snapshot, paint, shown)),
      ...facts.flatMap(fact => evidence(fact, snapshot, shown))
    ]
  }
}

const plain = (text: string): Branch => ({ head: '', plain: '', text, branches: [] })

/** Several parts can depend on one fact: its files are listed once, at the first of them. */
function evidence(fact: FactName, { facts }: Snapshot, shown: Set<FactName>): readonly Branch[] {
  if (shown.has(fact)) return [plain(`as read above for ${fact}`)]
  shown.add(fact)
  return facts[fact].evidence.map(({ source, saw }) => plain(`${source}: ${saw}`))
}

/** The lines after the first one continue the branches of the tree, so `row` cannot lay them out. */
function draw({ head, plain: bare, text, branches }: Branch, lead: string, indent: string, paint: Paint): readonly string[] {
  const below = `${indent}${branches.length > 0 ? '│ ' : '  '}`
  const style = bare === '' ? paint.dim : (line: string) => line
  const [first = '', ...more] = paragraph(text, paint.columns - Math.max(lead.length + bare.length, below.length), 0, style)
  return [
    `${paint.dim(lead)}${head}${first}`,
    ...more.map(line => `${paint.dim(below)}${line}`),
    ...branches.flatMap((branch, index) => {
      const isLast = index === branches.length - 1
      return draw(branch, `${indent}${isLast ? '└─ ' : '├─ '}`, `${indent}${isLast ? '   ' : '│  '}`, paint)
    })
  ]
}
