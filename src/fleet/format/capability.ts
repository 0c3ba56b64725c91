import type { Paint } from '../../paint.ts'
import { section } from '../../report/terminal-report.ts'
import { paragraph, row } from '../../terminal-layout.ts'
import type { Capability } from '../../verdicts/all.ts'
import { ANSWERS, type Answer } from '../../verdicts/verdict.ts'
import { isOutdated } from '../fleet-node.ts'
import { poolText } from '../pools.ts'
import { countsOf, type Fleet, nodesOf, reasonsOf, standingsOf, type Way, waysOf } from '../summary.ts'
import { aloneText, namesText, nodesText, standingNotes } from './words.ts'

/** One capability: the nodes that have it, those that do not and why, and what would help most. Yields parts. */
export function* capabilityText(fleet: Fleet, capability: Capability, paint: Paint): Generator<string> {
  const nodes = nodesOf(fleet)
  yield `${paragraph(leadText(fleet, capability), paint.columns).join('\n')}\n`
  for (const note of standingNotes(standingsOf(nodes, fleet.now))) yield `${paragraph(note, paint.columns).join('\n')}\n`
  for (const title of [...ANSWERS, 'outdated'] as const) {
    const lines = reasonLines(fleet, { capability, title }, paint)
    if (lines.length > 0) yield `\n${section(TITLES[title], lines, paint)}`
  }
  const ways = waysOf(nodes, capability).flatMap(way => wayLines(way, paint))
  if (ways.length > 0) yield `\n${section('What would help most', ways, paint)}`
}

const TITLES: Readonly<Record<Answer | 'outdated', string>> = {
  yes: 'Can',
  no: 'Cannot',
  unknown: 'Unknown',
  outdated: 'Out of date'
}

function leadText(fleet: Fleet, capability: Capability): string {
  const nodes = nodesOf(fleet)
  const { yes, no, unknown, absent, outdated } = countsOf(nodes, capability, fleet.now)
  const parts = [`${yes} of ${nodesText(nodes.length)} can`, `${no} cannot`]
  if (unknown > 0) parts.push(`${unknown} ${unknown === 1 ? 'is' : 'are'} unknown`)
  if (absent > 0) parts.push(`${absent} ${absent === 1 ? 'has' : 'have'} no label`)
  if (outdated > 0) parts.push(`${outdated} ${outdated === 1 ? 'is' : 'are'} out of date`)
  return `${capability}: ${parts.join(', ')}.`
}

/** How many names are printed below a reason. */
const NAMES = 5

function reasonLines(
  { pools, now }: Fleet,
  { capability, title }: { readonly capability: Capability; readonly title: Answer | 'outdated' },
  paint: Paint
): readonly string[] {
  return pools.flatMap(({ pool, nodes }) => {
    const shown = nodes.filter(node => isOutdated(node, now) === (title === 'outdated'))
    const reasons = reasonsOf(shown, capability).filter(({ answer }) => title === 'outdated' || answer === title)
    const count = reasons.reduce((sum, reason) => sum + reason.nodes.length, 0)
    if (count === 0) return []
    const lines = reasons.flatMap(({ answer, because, nodes: those }) => [
      ...paragraph(
        `${nodesText(those.length)}: ${title === 'outdated' ? `last answer ${answer}: ` : ''}${because}`,
        paint.columns,
        4
      ),
      ...paragraph(namesText(those, NAMES), paint.columns, 6, paint.dim)
    ])
    return [`  ${paint.bold(poolText(pool))}, ${count} of ${nodes.length}`, ...lines]
  })
}

const wayLines = ({ way, nodes, alone, pools }: Way, paint: Paint): readonly string[] => [
  ...titled(nodesText(nodes), `: ${way} ${aloneText(alone, nodes)}`.trimEnd(), paint),
  ...paragraph(pools.map(([pool, count]) => `${pool} ${count}`).join(', '), paint.columns, 4, paint.dim)
]

/** The title is painted after the text was wrapped, because colours have no width. */
function titled(title: string, text: string, paint: Paint): readonly string[] {
  const [first = '', ...more] = row({ cells: [{ text: '  ' }], text: title + text, columns: paint.columns, indent: 4 })
  return [first.replace(title, () => paint.bold(title)), ...more]
}
