import { hang, type Paint } from '../../paint.ts'
import type { Capability } from '../../verdicts/all.ts'
import type { FleetNode } from '../fleet-node.ts'
import { poolText } from '../pools.ts'
import { countsOf, type Fleet, type FleetPool, nodesOf, type Reason, reasonsOf, standingsOf } from '../summary.ts'
import { namesText, nodesText, noteOf, outdatedText, standingNotes } from './words.ts'

/** All Nodes and what each can host, pool by pool; with `why`, the reasons below each pool. Line by line, each with its end. */
export function* fleetTable(fleet: Fleet, paint: Paint, { why }: { readonly why: boolean }): Generator<string> {
  const nodes = nodesOf(fleet)
  if (nodes.length === 0) {
    yield 'This cluster has no nodes.\n'
    return
  }
  const table = columnsOf(fleet, nodes, paint)
  for (const pool of fleet.pools) {
    yield table.row(poolTitle(pool), capability => counted(pool.nodes, capability, fleet.now), paint.bold)
    for (const node of pool.nodes) yield table.row(`  ${node.name}`, answer(node, paint), undefined, noteOf(node, fleet.now))
    if (why) yield* reasonLines(fleet, pool, paint)
    yield '\n'
  }
  yield* endLines(fleet, nodes, table, paint)
}

/** The pools alone, and the whole: what fits on a screen however large the fleet is. */
export function* fleetPools(fleet: Fleet, paint: Paint): Generator<string> {
  const nodes = nodesOf(fleet)
  const table = columnsOf(fleet, [], paint)
  for (const pool of fleet.pools) yield table.row(poolTitle(pool), capability => counted(pool.nodes, capability, fleet.now))
  yield* endLines(fleet, nodes, table, paint)
}

function* endLines({ now }: Fleet, nodes: readonly FleetNode[], table: Columns, paint: Paint): Generator<string> {
  yield table.row(`all ${nodesText(nodes.length)}`, capability => counted(nodes, capability, now), paint.bold)
  for (const note of standingNotes(standingsOf(nodes, now))) yield* ended(hang('', 0, note, paint.columns))
}

const poolTitle = ({ pool, nodes }: FleetPool): string => `${poolText(pool)}, ${nodesText(nodes.length)}`

const counted = (nodes: readonly FleetNode[], capability: Capability, now: Fleet['now']): Cell => {
  const text = `${countsOf(nodes, capability, now).yes}/${nodes.length}`
  return { text, shown: text }
}

const answer =
  ({ answers }: FleetNode, paint: Paint) =>
  (capability: Capability): Cell => {
    const text = answers[capability] ?? '-'
    return { text, shown: paint.answer(text) }
  }

interface Cell {
  readonly text: string
  /** The same, painted. */
  readonly shown: string
}

interface Columns {
  readonly row: (
    name: string,
    cell: (capability: Capability) => Cell,
    style?: ((text: string) => string) | undefined,
    note?: string
  ) => string
}

const GAP = 2

/** As wide as their longest text; a name is never cut, since people copy it. The first row that is asked for has the heads above it. */
function columnsOf({ capabilities, pools }: Fleet, nodes: readonly FleetNode[], paint: Paint): Columns {
  const titles = [...pools.map(poolTitle), `all ${nodesText(nodes.length)}`]
  const first = longest(titles, longest(nodes.map(({ name }) => `  ${name}`))) + GAP
  const width = (capability: Capability) => Math.max(capability.length, 'unknown'.length) + GAP
  let head = `${' '.repeat(first)}${capabilities.map(name => name.padEnd(width(name))).join('')}`.trimEnd()
  return {
    row: (name, cell, style = text => text, note = '') => {
      const cells = capabilities.map(capability => {
        const { text, shown } = cell(capability)
        return `${style(shown)}${' '.repeat(Math.max(0, width(capability) - text.length))}`
      })
      const line = `${style(name)}${' '.repeat(first - name.length)}${cells.join('')}${note === '' ? '' : paint.answer('unknown', note)}`
      const above = head === '' ? '' : `${head}\n`
      head = ''
      return `${above}${line.trimEnd()}\n`
    }
  }
}

/** No spread: there may be more texts than a call has room for. */
const longest = (texts: readonly string[], least = 0): number => texts.reduce((most, text) => Math.max(most, text.length), least)

const ended = (lines: readonly string[]): readonly string[] => lines.map(line => `${line}\n`)

function* reasonLines({ capabilities, now }: Fleet, { nodes }: FleetPool, paint: Paint): Generator<string> {
  for (const capability of capabilities) {
    const telling = nodes.length - countsOf(nodes, capability, now).absent
    for (const reason of reasonsOf(nodes, capability)) {
      const lead = `    ${paint.bold(capability.padEnd(12))}${paint.answer(reason.answer, reason.answer.padEnd(9))}`
      yield* ended(
        hang(lead, REASON_AT, `${reason.because}${whose(reason, telling)}${outdatedText(reason.nodes, now)}`, paint.columns)
      )
      for (const caution of reason.cautions) {
        yield* ended(hang(' '.repeat(REASON_AT), REASON_AT, `caution: ${caution}`, paint.columns, paint.dim))
      }
    }
  }
}

const REASON_AT = 25

/** Names that stand beside a reason. */
const NAMES = 2

/** Nothing where it is the reason of all that tell one. */
const whose = ({ nodes }: Reason, telling: number): string =>
  nodes.length === telling ? '' : ` (${nodesText(nodes.length)}: ${namesText(nodes, NAMES)})`
