import type { V1Node } from '../kubernetes/models.ts'
import { AHEAD, CONDITION_TYPE } from '../node-sync/condition.ts'
import type { Taint } from '../node-sync/startup-taint.ts'
import { printable } from '../printable.ts'
import { CAPABILITIES, type Capability } from '../verdicts/all.ts'
import type { Answer } from '../verdicts/verdict.ts'
import { parseReport, type Report, type ReportedVerdict } from './parse-report.ts'
import { type Pool, poolOf } from './pools.ts'

/** The parts of a Node that the fleet needs: a few hundred bytes of 20 kB. Every text is printable. */
export interface FleetNode {
  readonly name: string
  readonly pool: Pool
  /** From the labels, which are what schedulers see. A capability without a label is missing here. */
  readonly answers: Answers
  readonly report: Report | undefined
  /** Milliseconds since 1970; NaN without a heartbeat. */
  readonly heartbeat: number
  /** The report is from an earlier boot, so it proves nothing. */
  readonly isRebooted: boolean
  /** Other things that keep pods away, such as `cordoned`. */
  readonly notes: readonly string[]
  readonly taints: readonly Taint[]
}

export type Answers = Readonly<Partial<Record<Capability, Answer>>>

export interface FleetTerms {
  readonly prefix: string
  /** The operator's own label of a pool, or empty. */
  readonly poolLabel: string
  /** Reports that were parsed before, to share equal ones. */
  readonly kept: Map<string, Report>
}

/** Parses a Node from the network. Never throws, whatever the Node contains. Adds the report to `kept`. */
export function fleetNode(node: V1Node, { prefix, poolLabel, kept }: FleetTerms): FleetNode {
  const { metadata, spec, status } = node as { [Part in 'metadata' | 'spec' | 'status']?: Readonly<Record<string, unknown>> }
  const labels = record(metadata?.['labels'])
  const report = record(metadata?.['annotations'])[`${prefix}/report`]
  const reading = typeof report === 'string' ? parseReport(report, kept) : undefined
  const conditions = list(status?.['conditions']).map(record)
  const boot = text(record(status?.['nodeInfo'])['bootID'])
  const { answers, odd } = answersOf(labels, prefix)
  return {
    name: text(metadata?.['name']),
    pool: poolOf(labels, poolLabel),
    answers,
    report: reading?.report,
    heartbeat: Date.parse(text(conditions.find(({ type }) => type === CONDITION_TYPE)?.['lastHeartbeatTime'])),
    isRebooted: reading !== undefined && reading.boot !== '' && boot !== '' && reading.boot !== boot,
    notes: notesOf([
      isDown(conditions) && 'not ready',
      spec?.['unschedulable'] === true && 'cordoned',
      report !== undefined && reading === undefined && 'its report cannot be read',
      reading?.isWhole === false && 'a part of its report cannot be read',
      odd.length > 0 && `expected true, false or unknown: ${odd.join(', ')}`
    ]),
    taints: list(spec?.['taints']).map(taintOf)
  }
}

/** A map, because an object would also have the key `constructor`, which may be the value of a label. */
const VALUES: ReadonlyMap<unknown, Answer> = new Map([
  ['true', 'yes'],
  ['false', 'no'],
  ['unknown', 'unknown']
])

interface LabelAnswers {
  readonly answers: Answers
  /** Labels with a value that no agent writes, `podman="maybe"`: they count as unknown. */
  readonly odd: readonly string[]
}

function answersOf(labels: Readonly<Record<string, unknown>>, prefix: string): LabelAnswers {
  const answers: Partial<Record<Capability, Answer>> = {}
  const odd: string[] = []
  for (const capability of CAPABILITIES) {
    const key = `${prefix}/${capability}`
    if (!Object.hasOwn(labels, key)) continue
    const answer = VALUES.get(labels[key])
    answers[capability] = answer ?? 'unknown'
    if (answer === undefined) odd.push(`${capability}="${text(labels[key])}"`)
  }
  return { answers, odd: odd.length === 0 ? FINE : odd }
}

/** One empty list, shared by all Nodes without notes: there may be 15,000. */
const FINE: readonly string[] = []

function notesOf(candidates: readonly (string | false)[]): readonly string[] {
  const notes = candidates.filter(note => note !== false)
  return notes.length === 0 ? FINE : notes
}

function isDown(conditions: readonly Readonly<Record<string, unknown>>[]): boolean {
  const ready = conditions.find(({ type }) => type === 'Ready')
  return ready !== undefined && ready['status'] !== 'True'
}

const taintOf = (value: unknown): Taint => {
  const { key, value: worth, effect } = record(value)
  return { key: text(key), value: text(worth), effect: text(effect) }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === 'string' ? printable(value.slice(0, 400)) : '')

/** Whether the answers of a Node can be relied on. */
export type Standing = 'fresh' | 'stale' | 'rebooted' | 'absent'

/** Moments in milliseconds since 1970, times in milliseconds. */
export interface Now {
  readonly at: number
  /** An agent whose heartbeat is older than this is stale. */
  readonly patience: number
}

/** `absent`: no label of an agent; `stale`: no recent heartbeat; `rebooted`: not observed since the Node booted. */
export function standingOf({ answers, heartbeat, isRebooted }: FleetNode, { at, patience }: Now): Standing {
  if (Object.keys(answers).length === 0) return 'absent'
  // A heartbeat in 2099 would make a dead agent look fresh until then.
  if (!(at - heartbeat <= patience && heartbeat - at <= AHEAD)) return 'stale'
  return isRebooted ? 'rebooted' : 'fresh'
}

/** The labels cannot be relied on until an agent observes the Node again. */
export function isOutdated(node: FleetNode, now: Now): boolean {
  const standing = standingOf(node, now)
  return standing === 'stale' || standing === 'rebooted'
}

/** The answer of the label, and the reason from the report if both agree. `undefined` if there is no label. */
export function reportedVerdict({ answers, report }: FleetNode, capability: Capability): ReportedVerdict | undefined {
  const answer = answers[capability]
  if (answer === undefined) return undefined
  const reported = report?.verdicts.get(capability)
  if (reported?.answer === answer) return reported
  const because =
    reported === undefined
      ? 'its report does not mention it'
      : `its label says ${answer}, its last report ${reported.answer}: ${reported.because}`
  return { answer, because, cautions: [], ways: [] }
}
