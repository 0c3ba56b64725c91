import { standingOf, toldOf } from '../fleet-node.ts'
import { poolText } from '../pools.ts'
import { type Fleet, nodesOf } from '../summary.ts'

/** One row a Node after a row of names, RFC 4180; with `why`, a column for the reason of each answer too. Line by line. */
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
        return why ? [answer, toldOf(node, name)?.because ?? ''] : [answer]
      })
    ])
  }
}

const row = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`

/**
 * A spreadsheet takes a cell that begins so, in full width too, for a formula, and runs it; an apostrophe makes it a text. Where lists
 * are written with semicolons, a cell begins after each of them too, whatever quotes stand around.
 */
const FORMULA = /(^|;)(?=[\s"]*[=+\-@＝＋－＠])/g

function cell(text: string): string {
  const plain = text.replace(FORMULA, "$1'")
  return /[",\r\n']/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
