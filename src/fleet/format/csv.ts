import { reportedVerdict, standingOf } from '../fleet-node.ts'
import { poolText } from '../pools.ts'
import { type Fleet, nodesOf } from '../summary.ts'

/** A header and one row for each Node, by RFC 4180; with `why`, also a column for each reason. Yields lines. */
export function* fleetCsv(fleet: Fleet, { why }: { readonly why: boolean }): Generator<string> {
  const { capabilities, now } = fleet
  yield row([
    'node',
    'pool',
    'agent',
    'heartbeat',
    'version',
    'notes',
    ...capabilities.flatMap(name => (why ? [name, `${name} why`] : [name]))
  ])
  for (const node of nodesOf(fleet)) {
    yield row([
      node.name,
      poolText(node.pool),
      standingOf(node, now),
      Number.isNaN(node.heartbeat) ? '' : new Date(node.heartbeat).toISOString(),
      node.report?.version ?? '',
      node.notes.join(', '),
      ...capabilities.flatMap(name => {
        const answer = node.answers[name] ?? ''
        return why ? [answer, reportedVerdict(node, name)?.because ?? ''] : [answer]
      })
    ])
  }
}

const row = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`

/**
 * Spreadsheets run a cell that begins with such a character (or its full-width form) as a formula; an apostrophe makes it text. In locales
 * that separate by semicolons, a cell also begins after each semicolon, even inside quotes.
 */
const FORMULA = /(^|;)(?=[\s"]*[=+\-@＝＋－＠])/g

function cell(text: string): string {
  const plain = text.replace(FORMULA, "$1'")
  return /[",\r\n']/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
