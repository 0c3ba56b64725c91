import type { Snapshot } from '../cycle/snapshot.ts'
import type { FactName } from '../facts/observe.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { type Html, html, nothing } from './page-html.ts'
import { answerChip, evidenceList, factLink, section } from './page-parts.ts'

const verdictsOf = ({ verdicts }: Snapshot): readonly Verdict[] => Object.values(verdicts)

/** Each capability as an expandable row with ways out, cautions, and all checks down to the files. */
export const verdictSection = (snapshot: Snapshot): Html =>
  section(
    'workspaces',
    'Workspaces',
    'Open one to see all checks, down to the file and what was read there.',
    html`<div class="verdicts">${verdictsOf(snapshot).map(verdict => capability(verdict, snapshot))}</div>`
  )

function capability(verdict: Verdict, snapshot: Snapshot): Html {
  const { name, answer, because, cautions, wayOut, parts } = verdict
  const shown = new Set<FactName>()
  const checks = parts.length > 0 ? parts : [verdict]
  const note = answer === 'yes' && cautions.length > 0 ? html` <span class="note">with cautions</span>` : nothing
  return html`<details class="verdict">
<summary>${answerChip(answer)} <h3>${name}</h3> <span class="because">${because}</span>${note}</summary>
<div class="inside">${boxed('What you can do', 'ways', wayOut)}${boxed('Cautions', 'cautions', cautions)}
<ul class="tree">${checks.map(part => branch(part, snapshot, shown))}</ul></div></details>`
}

const boxed = (title: string, kind: 'ways' | 'cautions', texts: readonly string[]): Html =>
  texts.length === 0
    ? nothing
    : html`<div class="box ${kind}"><h4>${title}</h4><ul>${texts.map(text => html`<li>${text}</li>`)}</ul></div>`

/** Parts with the answer yes are collapsed at first; the obstacles are expanded. */
function branch({ name, answer, because, parts, facts }: Verdict, snapshot: Snapshot, shown: Set<FactName>): Html {
  const line = html`${answerChip(answer)} <b>${name}</b> <span class="because">${because}</span>`
  const below = [
    ...facts.map(fact => factLines(fact, snapshot, shown)),
    ...(parts.length > 0 ? [html`<ul class="tree">${parts.map(part => branch(part, snapshot, shown))}</ul>`] : [])
  ]
  if (below.length === 0) return html`<li class="leaf">${line}</li>`
  const state = answer === 'yes' ? nothing : html` open`
  return html`<li><details${state}><summary>${line}</summary><div class="inside">${below}</div></details></li>`
}

/** Several parts can depend on one fact: its files are listed once, at the first of them. */
function factLines(name: FactName, { facts }: Snapshot, shown: Set<FactName>): Html {
  if (shown.has(name)) return html`<p class="from">as read above for ${factLink(name)}</p>`
  shown.add(name)
  return html`<p class="from">from the fact ${factLink(name)}</p>${evidenceList(facts[name].evidence)}`
}

/** Each way out once, with the capabilities that it makes possible. */
export function wayOutSection(snapshot: Snapshot): Html {
  const ways = new Map<string, string[]>()
  for (const { name, wayOut } of verdictsOf(snapshot)) {
    for (const way of wayOut) ways.set(way, [...(ways.get(way) ?? []), name])
  }
  const items = [...ways].map(
    ([way, names]) =>
      html`<li><span>${way}</span> <span class="tags">${names.map(name => html`<span class="tag">${name}</span> `)}</span></li>`
  )
  return ways.size === 0
    ? nothing
    : section(
        'ways-out',
        'Ways out',
        'What would make more kinds of workspaces possible here.',
        html`<ol class="ways-out">${items}</ol>`
      )
}
