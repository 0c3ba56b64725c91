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

/** `refused`: by the API or an admission policy; `conflict`: the Node was changed or replaced meanwhile; `failed`: no response. */
export const RESULTS = ['written', 'refused', 'conflict', 'failed'] as const
export type Result = (typeof RESULTS)[number]

/** One write to the API and its result. */
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

/** Everything that an agent knows about its node and itself. Times in ISO 8601. */
export interface Status {
  readonly at: string
  readonly node: string
  readonly version: string
  readonly startedAt: string
  /** `undefined` before the first observation has ended. */
  readonly snapshot: Snapshot | undefined
  /** When each fact could last be read; without facts that never could. */
  readonly readAt: ReadTimes
  /** What the Node should carry, including values that are held from before. */
  readonly labels: Labels
  /** The latest first. */
  readonly lastWrites: readonly Write[]
  readonly api: ApiState
  /** Whether the admission policy is enforced; `undefined` before the first check. */
  readonly guard: boolean | undefined
  /** Repairs since the start, by what was done to the label. */
  readonly drift: Readonly<Record<DriftKind, number>>
}

export type ReadTimes = Readonly<Partial<Record<FactName, string>>>

/** The read times after one more observation: an unknown fact keeps the time when it was last known. */
export const readTimes = (before: ReadTimes, { at, facts }: Pick<Snapshot, 'at' | 'facts'>): ReadTimes => ({
  ...before,
  ...Object.fromEntries(
    (Object.entries(facts) as [FactName, Fact<unknown>][]).flatMap(([name, { known }]) => (known ? [[name, at]] : []))
  )
})

/** Evidence without secrets, for HTTP. */
export const publicEvidence = ({ source, saw }: Evidence): Evidence => ({ source, saw: redact(saw) })

/** Labels of a Node on which a verdict depends. Other labels, the annotations and the provider id are not exposed. */
const DECIDING_LABELS: readonly string[] = ['sysbox-runtime']

function publicNode({ providerId: _, annotations: __, labels, ...node }: NodeObject): object {
  return { ...node, labels: Object.fromEntries(Object.entries(labels).filter(([key]) => DECIDING_LABELS.includes(key))) }
}

/** The status as JSON text: the fields of `report --format json`, and those that only an agent has. */
export function statusJson(status: Status): string {
  const { snapshot, readAt, guard, ...rest } = status
  const facts = (Object.entries(snapshot?.facts ?? {}) as [FactName, Fact<unknown>][]).map(([name, fact]) => [
    name,
    { ...fact, ...publicValue(name, fact), evidence: fact.evidence.map(publicEvidence), readAt: readAt[name] ?? null }
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
    jsonValue
  )}\n`
}

const publicValue = (name: FactName, fact: Fact<unknown>): object =>
  name === 'node' && fact.known ? { value: publicNode(fact.value as NodeObject) } : {}

/** Maps become objects and sets become lists, because JSON has neither. */
const jsonValue = (_: string, value: unknown): unknown => {
  if (value instanceof Map) return Object.fromEntries(value)
  return value instanceof Set ? [...value] : value
}
