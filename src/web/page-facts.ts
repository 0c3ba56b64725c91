import type { Fact } from '../facts/fact.ts'
import type { FactName, NodeFacts } from '../facts/observe.ts'
import type { Status } from '../node-sync/status.ts'
import { factText } from '../report/fact-text.ts'
import { type Html, html, nothing } from './page-html.ts'
import { answerChip, evidenceList, moment, section, table } from './page-parts.ts'

/** Every fact with its evidence and the time when it could last be read. */
export function factSection(status: Status): Html {
  const { snapshot } = status
  if (snapshot === undefined) return nothing
  const { facts } = snapshot
  const names = Object.keys(facts) as FactName[]
  const unknown = names.filter(name => !facts[name].known).length
  const known = unknown === 0 ? `All ${names.length} are known` : `${names.length - unknown} are known, ${unknown} are not`
  const rows = names.map(name => ({ id: `fact-${name}`, name, cell: factCell(name, facts, status) }))
  return section(
    'facts',
    'Facts',
    `${known}. Open one to see where it was read.`,
    table(['Fact', 'Value, and when it was last read'], rows)
  )
}

function factCell(name: FactName, facts: NodeFacts, { readAt, at }: Status): Html {
  const fact: Fact<unknown> = facts[name]
  const value = fact.known ? html`${factText(name, facts)}` : html`${answerChip('unknown')} ${fact.why}`
  const line = html`<span class="value">${value}</span> <span class="when">${lastRead(fact.known, readAt[name], at)}</span>`
  return fact.evidence.length === 0
    ? html`<div class="line">${line}</div>`
    : html`<details><summary>${line}</summary>${evidenceList(fact.evidence)}</details>`
}

function lastRead(isKnown: boolean, readAt: string | undefined, now: string): Html {
  if (readAt === undefined) return html`${isKnown ? '' : 'never known'}`
  return isKnown ? moment(readAt, now) : html`last known at ${moment(readAt, now)}`
}
