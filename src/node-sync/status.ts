import type { Snapshot } from '../cycle/snapshot.ts'
import type { Fact } from '../facts/fact.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { FactName } from '../facts/observe.ts'
import type { Evidence } from '../host/host.ts'
import { redact } from '../redact.ts'
import type { DriftKind } from './drift.ts'
import type { Labels } from './labels.ts'

export const TARGETS = ['labels', 'report', 'condition', 'taint', 'event'] as const
export type Target = (typeof TARGETS)[number]

/** `refused`: the API or a policy in it said no; `conflict`: somebody was faster, or the Node is another; `failed`: no answer. */
export const RESULTS = ['written', 'refused', 'conflict', 'failed'] as const
export type Result = (typeof RESULTS)[number]

/** One write to the API, and what came of it. */
export interface Write {
  /** ISO 8601. */
  readonly at: string
  readonly target: Target
  /** For people: `cvm: unknown → true`. */
  readonly what: string
  readonly result: Result
}

export interface ApiState {
  /** URL without user name and password. */
  readonly server: string
  readonly state: 'connected' | 'disconnected'
  /** ISO 8601. */
  readonly since: string
  /** Empty when there was none. */
  readonly lastError: string
}

/** All that an agent knows of its node and of itself at one moment. Times in ISO 8601. */
export interface Status {
  readonly at: string
  readonly node: string
  readonly version: string
  readonly startedAt: string
  /** `undefined` before the first look is done. */
  readonly snapshot: Snapshot | undefined
  /** When each fact could last be read; without those that never could. */
  readonly readAt: ReadTimes
  /** What the Node should carry, what is held from before included. */
  readonly labels: Labels
  /** The latest first. */
  readonly lastWrites: readonly Write[]
  readonly api: ApiState
  /** Whether the admission policy proved to refuse what it must; `undefined` before it was tried. */
  readonly guard: boolean | undefined
  /** Repairs since the start, by what was done to the label. */
  readonly drift: Readonly<Record<DriftKind, number>>
}

export type ReadTimes = Readonly<Partial<Record<FactName, string>>>

/** The times of the last reading after one more look: an unknown fact keeps the time at which it was still known. */
export const readTimes = (before: ReadTimes, { at, facts }: Pick<Snapshot, 'at' | 'facts'>): ReadTimes => ({
  ...before,
  ...Object.fromEntries(
    (Object.entries(facts) as [FactName, Fact<unknown>][]).flatMap(([name, { known }]) => (known ? [[name, at]] : []))
  )
})

/** Evidence as it may be told to whoever asks by HTTP. */
export const tellable = ({ source, saw }: Evidence): Evidence => ({ source, saw: redact(saw) })

/** Labels of a Node that a verdict rests on. All others, its annotations and its provider id are nobody's business here. */
const DECIDING_LABELS: readonly string[] = ['sysbox-runtime']

function tellableNode({ providerId: _, annotations: __, labels, ...node }: NodeObject): object {
  return { ...node, labels: Object.fromEntries(Object.entries(labels).filter(([key]) => DECIDING_LABELS.includes(key))) }
}

/** The status as JSON text: facts and labels by name, in the shape of `report --format json`, and what the agent adds to it. */
export function statusJson(status: Status): string {
  const { snapshot, readAt, guard, ...rest } = status
  const facts = (Object.entries(snapshot?.facts ?? {}) as [FactName, Fact<unknown>][]).map(([name, fact]) => [
    name,
    { ...fact, ...toldValue(name, fact), evidence: fact.evidence.map(tellable), readAt: readAt[name] ?? null }
  ])
  return `${JSON.stringify(
    {
      schema: 1,
      ...rest,
      guard: guard ?? null,
      lookedAt: snapshot?.at ?? null,
      facts: Object.fromEntries(facts),
      verdicts: snapshot?.verdicts ?? {},
      plan: snapshot?.plan ?? [],
      outcomes: snapshot?.outcomes ?? [],
      durations: snapshot?.durations ?? {}
    },
    plainly
  )}\n`
}

const toldValue = (name: FactName, fact: Fact<unknown>): object =>
  name === 'node' && fact.known ? { value: tellableNode(fact.value as NodeObject) } : {}

/** JSON has neither maps nor sets. */
const plainly = (_: string, value: unknown): unknown => {
  if (value instanceof Map) return Object.fromEntries(value)
  return value instanceof Set ? [...value] : value
}
