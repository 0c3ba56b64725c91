import { DETECTOR_NAMES, type DetectorName } from '../facts/all.ts'
import type { Fact, Known } from '../facts/fact.ts'
import type { ModuleState } from '../facts/kernel-modules/state.ts'
import type { DetectedFacts } from '../facts/observe.ts'

/** The last complete value of each fact, and when it was read (milliseconds). Each observation creates a new one. */
export interface Memory {
  /** What was proved under another boot does not count. */
  readonly bootId: string
  readonly kept: Readonly<Partial<Record<DetectorName, Kept>>>
}

interface Kept {
  readonly fact: Known<unknown>
  readonly at: number
}

export const NO_MEMORY: Memory = Object.freeze({ bootId: '', kept: {} })

export interface Recollection {
  /** What was read; for what could not be read, the last value while it counts. */
  readonly facts: DetectedFacts
  readonly memory: Memory
  /** The facts that have their value from memory. */
  readonly recalled: readonly DetectorName[]
}

/**
 * Bridges short read failures: a part of a fact that cannot be read keeps its last value for `patience` milliseconds after the fact was
 * last complete. A value that was read always counts.
 */
export function recollect(memory: Memory, seen: DetectedFacts, now: number, patience: number): Recollection {
  const bootId = seen['boot-id'].known ? seen['boot-id'].value : memory.bootId
  const past = bootId === memory.bootId ? memory.kept : {}
  const names = DETECTOR_NAMES
  const kept = new Map(names.flatMap(name => keep(name, seen[name], past[name], now, patience)))
  return {
    facts: Object.fromEntries(names.map(name => [name, kept.get(name)?.fact ?? seen[name]])) as unknown as DetectedFacts,
    memory: Object.freeze({ bootId, kept: Object.freeze(Object.fromEntries(kept)) }),
    recalled: names.filter(name => (kept.get(name)?.at ?? now) !== now)
  }
}

function keep(
  name: DetectorName,
  fact: Fact<unknown>,
  before: Kept | undefined,
  now: number,
  patience: number
): readonly (readonly [DetectorName, Kept])[] {
  // A fact that was not asked is not kept for the time when it is asked.
  if (fact.known && wasNotAsked(fact.value)) return []
  const isUnread = unreadParts(name)
  if (fact.known && isWhole(fact.value, isUnread)) return [[name, { fact, at: now }]]
  if (before === undefined || now - before.at >= patience) return []
  // The parts that were read count at once; only the others are recalled.
  if (!fact.known) return [[name, before]]
  return [[name, { ...before, fact: { ...fact, value: completed(fact.value, before.fact.value, isUnread) } }]]
}

type IsUnread = (part: Readonly<Record<string, unknown>>) => boolean

/** An `Attempt` that failed. */
const isFailed: IsUnread = ({ ok }) => ok === false

/** A `ModuleState` that could not be determined. */
const isUnknownModule: IsUnread = ({ state }) => state === ('unknown' satisfies ModuleState['state'])

/**
 * Some facts have parts that fail separately. `state: 'unknown'` means that only in a kernel module: elsewhere it is a value that was read,
 * for instance a label of the Node with this key and value.
 */
const unreadParts = (name: DetectorName): IsUnread =>
  name === 'kernel-modules' ? part => isFailed(part) || isUnknownModule(part) : isFailed

/** Whether every part of the fact could be read. */
const isWhole = (value: unknown, isUnread: IsUnread): boolean =>
  !isRecord(value) || (!isUnread(value) && Object.values(value).every(part => isWhole(part, isUnread)))

const wasNotAsked = (value: unknown): boolean => isRecord(value) && value['asked'] === false

/** The value, with its unread parts from an earlier one. */
function completed(value: unknown, before: unknown, isUnread: IsUnread): unknown {
  if (!isRecord(value)) return value
  if (isUnread(value)) return before ?? value
  if (!isRecord(before)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, completed(part, before[key], isUnread)]))
}

/** Whether the value has named parts. A list or a map is one part. */
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
