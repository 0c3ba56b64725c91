import type { Snapshot } from '../cycle/snapshot.ts'
import { type RemedyResult, remediesOf } from '../report/terminal-report.ts'
import { type Html, html, nothing } from './page-html.ts'
import { ago, chip, moment, section, type Tone, table } from './page-parts.ts'

const RESULTS: Readonly<Record<RemedyResult['result'], readonly [Tone, string]>> = {
  apply: ['good', 'will be applied'],
  applied: ['good', 'applied'],
  ineffective: ['bad', 'no effect'],
  failed: ['bad', 'failed'],
  forbidden: ['open', 'not permitted'],
  blocked: ['bad', 'not possible'],
  'not-needed': ['quiet', 'not needed']
}

/** All remedies. For those that a helper ran: the time, the result, and the last lines of output. */
export const remedySection = (snapshot: Snapshot, now: string): Html =>
  section(
    'remedies',
    'Remedies',
    'What berth can change on this node if you permit it.',
    table(
      ['Remedy', 'Decision'],
      remediesOf(snapshot).map(story => ({ id: '', name: story.remedy, cell: remedyCell(story, now) }))
    )
  )

function remedyCell({ result, because, at, tail }: RemedyResult, now: string): Html {
  const tried = at === '' ? nothing : html` <span class="when">tried at ${moment(at, now)}${ago(at, now)}</span>`
  const last =
    tail === '' ? nothing : html`<details><summary>Last lines of output</summary><pre class="tail">${tail}</pre></details>`
  return html`${chip(...RESULTS[result])} ${because}${tried}${last}`
}
