import type { HostWriter } from '../../host/writer.ts'
import { readJournal, writeJournal } from '../journal.ts'
import type { Source } from './source.ts'

/** A source that failed on a kernel usually fails again. It is tried three times, since a disk may have been full. */
const MOST_FAILURES = 3
/** How many pairs of kernel and source the journal remembers. */
const MOST_REMEMBERED = 8
/** The pause after the first failed build (milliseconds). Each next pause is four times as long. */
const FIRST_PAUSE = 60_000

export interface Attempted {
  readonly release: string
  readonly source: Source
}

export interface Failure {
  readonly because: string
  /** The compiler's output. */
  readonly tail: string
}

const keyOf = ({ release, source }: Attempted): string => `${release} ${source.checksum}`

/** Why a source must not be built yet, with the output of the last failed build; `undefined` if it may be built. */
export async function whyNotAgain(host: HostWriter, attempted: Attempted, now: Date): Promise<Failure | undefined> {
  const { builds = {} } = await readJournal(host)
  const before = builds[keyOf(attempted)]
  if (before === undefined) return undefined
  const { failures, lastAt, because, tail = '' } = before
  if (failures >= MOST_FAILURES) {
    const story = `this source failed ${failures} times on this kernel, and is not tried again until it changes`
    return { because: `${story}: ${because}`, tail }
  }
  const pause = Date.parse(lastAt) + FIRST_PAUSE * 4 ** (failures - 1) - now.getTime()
  // If the clock was set back, the build must not wait for ever.
  if (pause <= 0 || pause > FIRST_PAUSE * 4 ** MOST_FAILURES) return undefined
  return { because: `tried again in ${Math.ceil(pause / 1000)} s; the last time: ${because}`, tail }
}

export async function countFailure(host: HostWriter, attempted: Attempted, { because, tail, now }: Failure & { now: Date }) {
  const { builds = {} } = await readJournal(host)
  const { [keyOf(attempted)]: before, ...others } = builds
  const failures = (before?.failures ?? 0) + 1
  const failed = { failures, lastAt: now.toISOString(), because: because.slice(0, 300), tail: tail.slice(0, 2000) }
  // The oldest entries are dropped; a node may boot an older kernel again.
  const kept = Object.entries(others).slice(1 - MOST_REMEMBERED)
  await writeJournal(host, { builds: { ...Object.fromEntries(kept), [keyOf(attempted)]: failed } })
}
