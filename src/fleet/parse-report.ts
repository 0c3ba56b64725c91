import { printable } from '../printable.ts'
import { ANSWERS, type Answer } from '../verdicts/verdict.ts'

/** What the report annotation of a Node says about one capability. Every text is printable and of limited length. */
export interface ReportedVerdict {
  readonly answer: Answer
  readonly because: string
  readonly cautions: readonly string[]
  /** The ways out; also empty if an older agent, which wrote none, left the report. */
  readonly ways: readonly string[]
}

export interface Report {
  readonly version: string
  readonly verdicts: ReadonlyMap<string, ReportedVerdict>
}

export interface Reading {
  readonly boot: string
  readonly report: Report
  /** Every verdict in the report could be read. */
  readonly isWhole: boolean
}

/** More than any agent writes (characters, and entries of a list). */
const LONGEST_TEXT = 400
const LONGEST_ANNOTATION = 16_384
const MOST = 30

/**
 * Parses a report as `reportAnnotation` writes it. It is untrusted: everybody who may change a Node can write it. `undefined` if it is no
 * report. Nodes of a pool often have equal reports, so equal reports share one object in `kept`.
 */
export function parseReport(text: string, kept: Map<string, Report>): Reading | undefined {
  if (text.length > LONGEST_ANNOTATION) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value) || !isRecord(value['verdicts'])) return undefined
  const { boot, verdicts, ways } = value
  const readable = verdictsOf(verdicts, texts(ways))
  const report = keptOnce({ version: word(value['version']), verdicts: readable }, kept)
  return { boot: word(boot), report, isWhole: readable.size === Object.keys(verdicts).length }
}

/** The key is made from parsed values: on the raw JSON, arrays nested a few thousand deep would overflow the stack of `JSON.stringify`. */
function keptOnce(report: Report, kept: Map<string, Report>): Report {
  const key = JSON.stringify([report.version, ...report.verdicts])
  const known = kept.get(key)
  if (known !== undefined) return known
  if (kept.size < MOST_KEPT) kept.set(key, report)
  return report
}

/** If all reports differ, comparing more of them saves nothing. */
const MOST_KEPT = 1_000

function verdictsOf(verdicts: Readonly<Record<string, unknown>>, ways: readonly string[]): ReadonlyMap<string, ReportedVerdict> {
  const found = new Map<string, ReportedVerdict>()
  for (const [name, verdict] of Object.entries(verdicts).slice(0, MOST)) {
    if (!isRecord(verdict)) continue
    const answer = ANSWERS.find(one => one === verdict['answer'])
    if (answer === undefined) continue
    const places = Array.isArray(verdict['ways']) ? verdict['ways'].slice(0, MOST) : []
    found.set(name, {
      answer,
      because: word(verdict['because']),
      cautions: texts(verdict['cautions']),
      ways: places.flatMap(place => (typeof place === 'number' ? (ways[place] ?? []) : []))
    })
  }
  return found
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value)
    ? value
        .slice(0, MOST)
        .map(word)
        .filter(text => text !== '')
    : []

const word = (value: unknown): string => (typeof value === 'string' ? printable(value.slice(0, LONGEST_TEXT)) : '')

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
