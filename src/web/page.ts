import { hash } from 'node:crypto'
import type { Snapshot } from '../cycle/snapshot.ts'
import type { DriftKind } from '../node-sync/drift.ts'
import type { Result, Status } from '../node-sync/status.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { BRAND, ICON } from './page-brand.ts'
import { factSection } from './page-facts.ts'
import { type Html, html, nothing, textOf } from './page-html.ts'
import { ago, chip, moment, section, span, type Tone, table } from './page-parts.ts'
import { remedySection } from './page-remedies.ts'
import { STYLE } from './page-style.ts'
import { verdictSection, wayOutSection } from './page-verdicts.ts'

/** With this hash, a Content-Security-Policy allows this style sheet and no other. */
export const STYLE_HASH = `sha256-${hash('sha256', textOf(STYLE), 'base64')}`

/** The status page: no scripts, nothing loaded from elsewhere, every text escaped. */
export const page = (status: Status): string => `<!doctype html>\n${textOf(document(status))}\n`

const document = (status: Status): Html => html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${status.node}: what it can host (berth)</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
</head>
<body>
${header(status)}
<main>
${status.snapshot === undefined ? NOT_YET : body(status, status.snapshot)}
</main>
<footer>
<p>As of ${moment(status.at, '')}. For programs: <a href="/status.json">status.json</a>, <a href="/metrics">metrics</a>.</p>
</footer>
</body>
</html>`

const NOT_YET = html`<p class="empty">The first observation of this node is not finished yet. Reload the page in a moment.</p>`

const body = (status: Status, snapshot: Snapshot): Html => html`${verdictSection(snapshot)}
<div class="pair">${wayOutSection(snapshot)}${remedySection(snapshot, status.at)}</div>
${factSection(status)}
<div class="pair">${labelSection(status)}${writeSection(status)}</div>`

const header = (status: Status): Html => html`<header>
${BRAND}
<h1>${status.node}</h1>
${status.snapshot === undefined ? nothing : html`<p class="summary">${summary(Object.values(status.snapshot.verdicts))}</p>`}
<dl class="vitals">
${vital('Last observation', lastObservation(status))}
${vital('Kubernetes API', api(status))}
${vital('Admission guard', GUARD[`${status.guard ?? 'untried'}`])}
${vital('Repaired labels', html`${driftText(status)}`)}
${vital('Agent', html`berth ${status.version}, up ${span(status.startedAt, status.at) || 'for an unknown time'}`)}
</dl>
</header>`

const vital = (term: string, text: Html): Html => html`<div><dt>${term}</dt><dd>${text}</dd></div>`

function summary(verdicts: readonly Verdict[]): Html {
  const names = (answer: Verdict['answer']) => verdicts.filter(verdict => verdict.answer === answer).map(({ name }) => name)
  const [can, open] = [names('yes'), names('unknown')]
  const lead = can.length === 0 ? html`This node can host no workspaces` : html`This node can host <b>${can.join(', ')}</b>`
  return open.length === 0 ? html`${lead}.` : html`${lead}; unknown: <b>${open.join(', ')}</b>.`
}

const lastObservation = ({ snapshot, at }: Status): Html =>
  snapshot === undefined ? html`not yet` : html`${moment(snapshot.at, at)}${ago(snapshot.at, at)}`

function api({ api: { server, state, since, lastError }, at }: Status): Html {
  const isUp = state === 'connected'
  const error = lastError === '' ? nothing : html`<br><span class="error">${isUp ? 'Before that: ' : ''}${lastError}</span>`
  return html`${chip(isUp ? 'good' : 'bad', state)} since ${moment(since, at)}<br><span class="muted">${server}</span>${error}`
}

const GUARD: Readonly<Record<'true' | 'false' | 'untried', Html>> = {
  true: html`${chip('good', 'enforced')}<br><span class="muted">the API refuses every change outside this Node</span>`,
  false: html`${chip('bad', 'not enforced')}<br>this token can change other Nodes; apply manifests/base, then see berth doctor`,
  untried: html`${chip('open', 'not checked yet')}`
}

const REPAIRS: Readonly<Record<DriftKind, string>> = { removed: 'restored', changed: 'corrected', added: 'removed' }

function driftText({ drift }: Status): string {
  const parts = (Object.entries(drift) as [DriftKind, number][]).filter(([, count]) => count > 0)
  return parts.length === 0 ? 'none since the start' : parts.map(([kind, count]) => `${count} ${REPAIRS[kind]}`).join(', ')
}

const labelSection = ({ labels }: Status): Html =>
  section(
    'labels',
    'Labels',
    'What this Node should carry.',
    table(
      ['Label', 'Value'],
      Object.entries(labels).map(([key, value]) => ({
        id: '',
        name: html`<code>${key}</code>`,
        cell: html`<code>${value}</code>`
      }))
    )
  )

const RESULT_TONES: Readonly<Record<Result, Tone>> = { written: 'good', refused: 'bad', conflict: 'open', failed: 'bad' }

const writeSection = ({ lastWrites, at: now }: Status): Html => {
  const rows = lastWrites.map(({ at, target, what, result }) => ({
    id: '',
    name: moment(at, now),
    cell: html`${chip(RESULT_TONES[result], result)} <b>${target}</b> ${what}`
  }))
  return rows.length === 0
    ? section('writes', 'Last writes', 'Nothing was written yet.', nothing)
    : section('writes', 'Last writes', 'To the Kubernetes API, latest first.', table(['When', 'What'], rows))
}
