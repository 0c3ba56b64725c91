import type { Paint } from '../../paint.ts'
import { answerRow } from '../../report/terminal-report.ts'
import { type Cell, padded, paragraph } from '../../terminal-layout.ts'
import type { Capability } from '../../verdicts/all.ts'
import type { FleetNode } from '../fleet-node.ts'
import { poolText } from '../pools.ts'
import { countsOf, type Fleet, type FleetPool, nodesOf, type Reason, reasonsOf, standingsOf } from '../summary.ts'
import { namesText, nodesText, noteOf, outdatedText, standingNotes } from './words.ts'

/** All Nodes and what each can host, pool by pool; with `why`, the reasons below each pool. Yields lines with their line ends. */
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

/** Only the pools and the total, which fit on a screen however large the fleet is. */
export function* fleetPools(fleet: Fleet, paint: Paint): Generator<string> {
  const nodes = nodesOf(fleet)
  const table = columnsOf(fleet, [], paint)
  for (const pool of fleet.pools) yield table.row(poolTitle(pool), capability => counted(pool.nodes, capability, fleet.now))
  yield* endLines(fleet, nodes, table, paint)
}

function* endLines({ now }: Fleet, nodes: readonly FleetNode[], table: Columns, paint: Paint): Generator<string> {
  yield table.row(`all ${nodesText(nodes.length)}`, capability => counted(nodes, capability, now), paint.bold)
  for (const note of standingNotes(standingsOf(nodes, now))) yield* ended(paragraph(note, paint.columns))
}

const poolTitle = ({ pool, nodes }: FleetPool): string => `${poolText(pool)}, ${nodesText(nodes.length)}`

const counted = (nodes: readonly FleetNode[], capability: Capability, now: Fleet['now']): Cell => {
  const text = `${countsOf(nodes, capability, now).yes}/${nodes.length}`
  return { text }
}

const answer =
  ({ answers }: FleetNode, paint: Paint) =>
  (capability: Capability): Cell => {
    const text = answers[capability] ?? '-'
    return { text, style: () => paint.answer(text) }
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

const unstyled = (text: string): string => text

/** Columns as wide as their longest text: a name is never cut, because people copy it. The first row is preceded by the headings. */
function columnsOf({ capabilities, pools }: Fleet, nodes: readonly FleetNode[], paint: Paint): Columns {
  const titles = [...pools.map(poolTitle), `all ${nodesText(nodes.length)}`]
  const first = longest(titles, longest(nodes.map(({ name }) => `  ${name}`))) + GAP
  const width = (capability: Capability) => Math.max(capability.length, 'unknown'.length) + GAP
  let head = `${' '.repeat(first)}${capabilities.map(name => padded({ text: name, width: width(name) })).join('')}`.trimEnd()
  return {
    row: (name, cell, style = unstyled, note = '') => {
      const cells = capabilities.map(capability => {
        const { text, style: color = unstyled } = cell(capability)
        return padded({ text, width: width(capability), style: line => style(color(line)) })
      })
      const line = `${padded({ text: name, width: first, style })}${cells.join('')}${note === '' ? '' : paint.answer('unknown', note)}`
      const above = head === '' ? '' : `${head}\n`
      head = ''
      return `${above}${line.trimEnd()}\n`
    }
  }
}

/** `Math.max(...)` would fail: a call does not take as many arguments as there may be nodes. */
const longest = (texts: readonly string[], least = 0): number => texts.reduce((most, text) => Math.max(most, text.length), least)

const ended = (lines: readonly string[]): readonly string[] => lines.map(line => `${line}\n`)

function* reasonLines({ capabilities, now }: Fleet, { nodes }: FleetPool, paint: Paint): Generator<string> {
  for (const capability of capabilities) {
    const labelled = nodes.length - countsOf(nodes, capability, now).absent
    for (const reason of reasonsOf(nodes, capability)) {
      const { answer, because, cautions, nodes: those } = reason
      const text = `${because}${whose(reason, labelled)}${outdatedText(those, now)}`
      yield* ended(answerRow({ capability, answer, text, cautions, indent: 4 }, paint))
    }
  }
}

/** How many names are printed with a reason. */
const NAMES = 2

/** The nodes with this reason; empty if all labelled nodes have it. */
const whose = ({ nodes }: Reason, labelled: number): string =>
  nodes.length === labelled ? '' : ` (${nodesText(nodes.length)}: ${namesText(nodes, NAMES)})`
