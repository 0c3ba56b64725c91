import type { Capability } from '../../verdicts/all.ts'
import { BRAND, ICON } from '../../web/page-brand.ts'
import { type Html, html, nothing, textOf } from '../../web/page-html.ts'
import { answerChip, moment, section } from '../../web/page-parts.ts'
import { STYLE } from '../../web/page-style.ts'
import { type FleetNode, standingOf } from '../fleet-node.ts'
import { poolText } from '../pools.ts'
import {
  type Counts,
  countsOf,
  type Fleet,
  type FleetPool,
  nodesOf,
  reasonsOf,
  standingsOf,
  type Way,
  waysOf
} from '../summary.ts'
import { fleetStyle } from './page-style.ts'
import { aloneText, namesText, nodesText, noteOf, outdatedText } from './words.ts'

/** The fleet as an HTML page in one file: no scripts, nothing loaded from elsewhere, every text escaped. Yields parts, pool by pool. */
export function* fleetPage(fleet: Fleet): Generator<string> {
  const nodes = nodesOf(fleet)
  yield `<!doctype html>\n${textOf(head(fleet, nodes))}\n`
  if (nodes.length === 0) yield textOf(html`<p class="empty">This cluster has no nodes.</p>`)
  else {
    yield textOf(html`${capabilitySection(fleet, nodes)}${helpSection(fleet, nodes)}${poolSection(fleet)}`)
    yield textOf(html`<section aria-labelledby="nodes"><h2 id="nodes">Nodes</h2>
<p class="lead">The reasons of each pool, then its nodes.</p>`)
    for (const pool of fleet.pools) yield* poolParts(pool, fleet, nodes.length <= OPEN)
    yield '</section>'
  }
  yield textOf(foot(fleet))
}

/** With more nodes than this, the pools are collapsed at first. */
const OPEN = 100

const head = ({ server, now, capabilities, pools }: Fleet, nodes: readonly FleetNode[]): Html => html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>What ${nodesText(nodes.length)} can host (berth)</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}${fleetStyle(capabilities)}</style>
</head>
<body>
<header>
${BRAND}
<h1>What ${nodesText(nodes.length)} can host</h1>
<dl class="vitals">
${vital('Cluster', html`${server}`)}
${vital('As of', moment(new Date(now.at).toISOString(), ''))}
${vital('Pools', html`${pools.length}`)}
${vital('Agents', agents(nodes, now))}
</dl>
</header>
<main>`

const vital = (term: string, text: Html): Html => html`<div><dt>${term}</dt><dd>${text}</dd></div>`

function agents(nodes: readonly FleetNode[], now: Fleet['now']): Html {
  const { fresh, stale, rebooted, absent } = standingsOf(nodes, now)
  const parts = [
    `${fresh} up to date`,
    ...(stale > 0 ? [`${stale} without heartbeat`] : []),
    ...(rebooted > 0 ? [`${rebooted} rebooted`] : []),
    ...(absent > 0 ? [`${absent} missing`] : [])
  ]
  return html`${parts.join(', ')}`
}

const foot = ({ prefix }: Fleet): Html => html`
</main>
<footer><p>From the labels <code>${prefix}/…</code> of the nodes, and from the annotation <code>${prefix}/report</code>, by berth fleet.</p></footer>
</body>
</html>
`

const capabilitySection = ({ capabilities, now }: Fleet, nodes: readonly FleetNode[]): Html =>
  section(
    'capabilities',
    'Workspaces',
    'How many nodes can host each kind.',
    html`<ul class="bars">${capabilities.map(name => bar(name, countsOf(nodes, name, now)))}</ul>`
  )

const bar = (name: Capability, { yes, no, unknown, absent, outdated }: Counts): Html => {
  const parts = [
    `${yes} can`,
    `${no} cannot`,
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(absent > 0 ? [`${absent} without label`] : []),
    ...(outdated > 0 ? [`${outdated} out of date`] : [])
  ]
  const share = (kind: string, count: number) =>
    count === 0 ? nothing : html`<span class="${kind}" style="flex:${count}"></span>`
  return html`<li><h3>${name}</h3>
<div class="bar" aria-hidden="true">${share('y', yes)}${share('u', unknown)}${share('n', no)}${share('o', outdated)}${share('z', absent)}</div>
<p>${parts.join(', ')}</p></li>`
}

/** How many ways out are shown for each capability. */
const WAYS = 5

function helpSection({ capabilities }: Fleet, nodes: readonly FleetNode[]): Html {
  const parts = capabilities.flatMap(name => {
    const ways = waysOf(nodes, name).slice(0, WAYS)
    return ways.length === 0 ? [] : [html`<h3>${name}</h3><ol>${ways.map(helpLine)}</ol>`]
  })
  return parts.length === 0
    ? nothing
    : section('help', 'What would help most', 'For nodes whose answer is no or unknown.', html`<div class="help">${parts}</div>`)
}

const helpLine = ({ way, nodes, alone, pools }: Way): Html =>
  html`<li><b>${nodesText(nodes)}</b><span>${way} <small>${aloneText(alone, nodes)} ${pools.map(([pool, count]) => `${pool} (${count})`).join(', ')}</small></span></li>`

const poolSection = ({ pools, capabilities, now }: Fleet): Html =>
  section(
    'pools',
    'Pools',
    'How many nodes of each pool can host each kind.',
    matrix(
      'Pool',
      capabilities,
      html`${pools.map(({ pool, nodes }) => html`<tr role="row"><th role="rowheader" scope="row">${poolText(pool)}</th>${capabilities.map(name => poolCell(nodes, name, now))}</tr>`)}`
    )
  )

function poolCell(nodes: readonly FleetNode[], name: Capability, now: Fleet['now']): Html {
  const { yes, unknown, outdated } = countsOf(nodes, name, now)
  const kind = yes === nodes.length ? 'y' : yes > 0 ? 'p' : unknown + outdated > 0 ? 'u' : 'n'
  return html`<td role="cell" class="${kind}">${yes}/${nodes.length}</td>`
}

/** The roles are explicit because the style sheet for narrow screens makes browsers forget that this is a table. */
const matrix = (first: string, heads: readonly string[], rows: Html): Html => html`${tableStart(first, heads)}${rows}${TABLE_END}`

const tableStart = (
  first: string,
  heads: readonly string[]
): Html => html`<table class="matrix${heads.includes('Note') ? ' noted' : ''}" role="table">
<thead role="rowgroup"><tr role="row">${[first, ...heads].map(text => html`<th role="columnheader" scope="col">${text}</th>`)}</tr></thead>
<tbody role="rowgroup">`
const TABLE_END = html`</tbody></table>`

function* poolParts({ pool, nodes }: FleetPool, fleet: Fleet, isOpen: boolean): Generator<string> {
  const { capabilities } = fleet
  yield textOf(html`<details class="pool"${isOpen ? html` open` : nothing}>
<summary><h3>${poolText(pool)}</h3> <span class="muted">${nodesText(nodes.length)}</span></summary>
<div class="inside"><ul class="why">${capabilities.map(name => reasons(nodes, name, fleet.now))}</ul>
${tableStart('Node', [...capabilities, 'Note'])}`)
  for (const node of nodes) yield textOf(nodeRow(node, fleet))
  yield `${textOf(TABLE_END)}</div></details>`
}

/** How many names are shown below a reason. */
const NAMES = 4

function reasons(nodes: readonly FleetNode[], name: Capability, now: Fleet['now']): readonly Html[] {
  const labelled = nodes.length - countsOf(nodes, name, now).absent
  return reasonsOf(nodes, name).map(({ answer, because, cautions, nodes: those }) => {
    const whose =
      those.length === labelled ? nothing : html`<small>${nodesText(those.length)}: ${namesText(those, NAMES)}</small>`
    const notes = html`${cautions.map(caution => html`<small>Caution: ${caution}</small>`)}${whose}`
    return html`<li>${answerChip(answer)} <b>${name}</b> <span>${because}${outdatedText(those, now)}${notes}</span></li>`
  })
}

const KINDS = { yes: 'y', no: 'n', unknown: 'u' } as const

const nodeRow = (node: FleetNode, { capabilities, now }: Fleet): Html => html`
<tr role="row"${standingOf(node, now) === 'fresh' ? nothing : html` class="old"`}><th role="rowheader" scope="row">${node.name}</th>${capabilities.map(
  name => {
    const answer = node.answers[name]
    return html`<td role="cell" class="${answer === undefined ? 'z' : KINDS[answer]}">${answer ?? 'no label'}</td>`
  }
)}<td role="cell" class="note">${noteOf(node, now)}</td></tr>`
