import type { V1Node } from '../kubernetes/models.ts'
import { AHEAD, CONDITION_TYPE } from '../node-sync/condition.ts'
import type { Taint } from '../node-sync/startup-taint.ts'
import { printable } from '../printable.ts'
import { CAPABILITIES, type Capability } from '../verdicts/all.ts'
import type { Answer } from '../verdicts/verdict.ts'
import { parseReport, type Report, type Told } from './node-report.ts'
import { type Pool, poolOf } from './pools.ts'

/** What is kept of a Node: some hundred bytes of its 20 kB. Every text is printable. */
export interface FleetNode {
  readonly name: string
  readonly pool: Pool
  /** From the labels, which are what schedulers see. A capability is missing where the label is. */
  readonly answers: Answers
  readonly report: Report | undefined
  /** Milliseconds since 1970; NaN without a heartbeat. */
  readonly heartbeat: number
  /** The report is of an earlier boot, so nothing in it is proved. */
  readonly isRebooted: boolean
  /** What else keeps pods away. */
  readonly notes: readonly string[]
  readonly taints: readonly Taint[]
}

export type Answers = Readonly<Partial<Record<Capability, Answer>>>

export interface FleetTerms {
  readonly prefix: string
  /** The operator's own label of a pool, or empty. */
  readonly poolLabel: string
  /** Reports that were read before. */
  readonly kept: Map<string, Report>
}

/** Reads a Node as it came over the network: whatever is in it, this does not throw. Pure but for what it keeps in the terms. */
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

/** No object: a label may have the value `constructor`, which every object answers to. */
const VALUES: ReadonlyMap<unknown, Answer> = new Map([
  ['true', 'yes'],
  ['false', 'no'],
  ['unknown', 'unknown']
])

interface LabelAnswers {
  readonly answers: Answers
  /** `podman="maybe"`: nobody can rely on a value that no agent writes, so it counts as unknown. */
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

/** One empty list for all Nodes of which there is nothing to say: there may be 15,000. */
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

/** How far the answers of a Node can be believed. */
export type Standing = 'fresh' | 'stale' | 'rebooted' | 'absent'

/** Moments in milliseconds since 1970, times in milliseconds. */
export interface Now {
  readonly at: number
  /** A heartbeat that is older than this is missed. */
  readonly patience: number
}

/** `absent`: the agent has not been here; `stale`: it is silent; `rebooted`: it has not looked since the Node booted. */
export function standingOf({ answers, heartbeat, isRebooted }: FleetNode, { at, patience }: Now): Standing {
  if (Object.keys(answers).length === 0) return 'absent'
  // A heartbeat of 2099 would keep a dead agent fresh until then.
  if (!(at - heartbeat <= patience && heartbeat - at <= AHEAD)) return 'stale'
  return isRebooted ? 'rebooted' : 'fresh'
}

/** Its labels are of a time that nobody answers for: whatever they say counts for nothing until an agent has observed the Node. */
export function isOutdated(node: FleetNode, now: Now): boolean {
  const standing = standingOf(node, now)
  return standing === 'stale' || standing === 'rebooted'
}

/** What the Node's report tells of a capability, under the answer that its label gives. `undefined` where it carries no label. */
export function toldOf({ answers, report }: FleetNode, capability: Capability): Told | undefined {
  const answer = answers[capability]
  if (answer === undefined) return undefined
  const told = report?.told.get(capability)
  if (told?.answer === answer) return told
  const because =
    told === undefined
      ? 'its report says nothing of it'
      : `its label says ${answer}, its last report ${told.answer}: ${told.because}`
  return { answer, because, cautions: [], ways: [] }
}
