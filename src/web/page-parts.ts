import type { FactName } from '../facts/observe.ts'
import type { Evidence } from '../host/host.ts'
import { publicEvidence } from '../node-sync/status.ts'
import type { Answer } from '../verdicts/verdict.ts'
import { type Html, html, nothing, type Part } from './page-html.ts'

/** The colour of a chip. Its text says the same in words. */
export type Tone = 'good' | 'bad' | 'open' | 'quiet'

const GLYPHS: Readonly<Record<Tone, string>> = { good: '✓', bad: '✕', open: '?', quiet: '–' }

export const chip = (tone: Tone, text: string): Html =>
  html`<span class="chip ${tone}"><span aria-hidden="true">${GLYPHS[tone]}</span> ${text}</span>`

const TONES: Readonly<Record<Answer, Tone>> = { yes: 'good', no: 'bad', unknown: 'open' }

export const answerChip = (answer: Answer): Html => chip(TONES[answer], answer)

/** A time for people, with the date only if it differs from the date of `now`. */
export function moment(at: string, now: string): Html {
  const [day = '', time = ''] = at.split('T')
  const text = `${now.startsWith(`${day}T`) ? '' : `${day} `}${time.slice(0, 8)} UTC`
  return html`<time datetime="${at}">${text}</time>`
}

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's']
]

/** The time between two moments in its two largest units, `3 h 12 min`; empty if they are in the wrong order because a clock was set. */
export function span(from: string, to: string): string {
  let left = Math.floor((Date.parse(to) - Date.parse(from)) / 1000)
  if (!(left >= 0)) return ''
  const parts: string[] = []
  for (const [seconds, unit] of UNITS) {
    const count = Math.floor(left / seconds)
    left -= count * seconds
    if (count > 0) parts.push(`${count} ${unit}`)
    else if (parts.length > 0) break
  }
  return parts.length === 0 ? '0 s' : parts.slice(0, 2).join(' ')
}

export const ago = (at: string, now: string): string => {
  const text = span(at, now)
  return text === '' ? '' : `, ${text} ago`
}

export const factLink = (name: FactName): Html => html`<a href="#fact-${name}">${name}</a>`

export const evidenceList = (evidence: readonly Evidence[]): Html =>
  evidence.length === 0 ? nothing : html`<ul class="evidence">${evidence.map(evidenceLine)}</ul>`

function evidenceLine(one: Evidence): Html {
  const { source, saw } = publicEvidence(one)
  return html`<li><code>${source}</code> <samp>${saw}</samp></li>`
}

export const section = (id: string, title: string, lead: string, body: Html): Html =>
  html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2><p class="lead">${lead}</p>${body}</section>`

/** Two columns, of which the first names the row. */
export const table = (heads: readonly [string, string], rows: readonly Row[]): Html =>
  html`<table>
<thead><tr>${heads.map(head => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(tableRow)}</tbody>
</table>`

const tableRow = ({ id, name, cell }: Row): Html =>
  html`<tr${id === '' ? nothing : html` id="${id}"`}><th scope="row">${name}</th><td>${cell}</td></tr>`

export interface Row {
  /** The target of links to this row, or empty. */
  readonly id: string
  readonly name: Part
  readonly cell: Html
}
