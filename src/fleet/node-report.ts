import { printable } from '../printable.ts'
import { ANSWERS, type Answer } from '../verdicts/verdict.ts'

/** What the annotation of a Node tells of one capability. Every text is printable and has an end. */
export interface Told {
  readonly answer: Answer
  readonly because: string
  readonly cautions: readonly string[]
  /** What somebody can do about it; empty too where the agent is older than this. */
  readonly ways: readonly string[]
}

export interface Report {
  readonly version: string
  readonly told: ReadonlyMap<string, Told>
}

export interface Reading {
  readonly boot: string
  readonly report: Report
  /** Every verdict in it is one. */
  readonly isWhole: boolean
}

/** Longer than any that an agent writes. */
const LONGEST_TEXT = 400
const LONGEST_ANNOTATION = 16_384
const MOST = 30

/**
 * Reads a report as `reportAnnotation` writes it; anybody who may change a Node may have written it. `undefined` where it is none.
 * Nodes of one pool tell the same, so that of two equal reports one is kept.
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
  const told = toldOf(verdicts, texts(ways))
  const report = keptOnce({ version: word(value['version']), told }, kept)
  return { boot: word(boot), report, isWhole: told.size === Object.keys(verdicts).length }
}

/** Compares what was read, never what was sent: `JSON.stringify` overflows the stack on arrays that are nested a few thousand deep. */
function keptOnce(report: Report, kept: Map<string, Report>): Report {
  const key = JSON.stringify([report.version, ...report.told])
  const known = kept.get(key)
  if (known !== undefined) return known
  if (kept.size < MOST_KEPT) kept.set(key, report)
  return report
}

/** A fleet whose reports all differ gains nothing by comparing them. */
const MOST_KEPT = 1_000

function toldOf(verdicts: Readonly<Record<string, unknown>>, ways: readonly string[]): ReadonlyMap<string, Told> {
  const found = new Map<string, Told>()
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
