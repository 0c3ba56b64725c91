import { DETECTOR_NAMES, type DetectorName } from '../facts/all.ts'
import type { Fact, Known } from '../facts/fact.ts'
import type { ModuleState } from '../facts/kernel-modules/state.ts'
import type { DetectedFacts } from '../facts/observe.ts'

/** The last whole value of each fact, and when it was read (milliseconds). Each look makes a new one. */
export interface Memory {
  /** What was proved under another boot is not proved any more. */
  readonly bootId: string
  readonly kept: Readonly<Partial<Record<DetectorName, Kept>>>
}

interface Kept {
  readonly fact: Known<unknown>
  readonly at: number
}

export const NO_MEMORY: Memory = Object.freeze({ bootId: '', kept: {} })

export interface Recollection {
  /** What was seen, or where it could not be read, what was seen last, for as long as that counts. */
  readonly facts: DetectedFacts
  readonly memory: Memory
  /** The facts that stand by memory alone. */
  readonly recalled: readonly DetectorName[]
}

/**
 * Holds against a moment's unreadability: what cannot be read of a fact keeps its last value for `patience` milliseconds after the fact
 * was last whole. What was read counts, whatever it was before.
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
  // What was not asked is no answer to go by once it is asked.
  if (fact.known && wasNotAsked(fact.value)) return []
  const isUnread = unreadParts(name)
  if (fact.known && isWhole(fact.value, isUnread)) return [[name, { fact, at: now }]]
  if (before === undefined || now - before.at >= patience) return []
  // What was read of it counts at once, and only what was not is recalled.
  if (!fact.known) return [[name, before]]
  return [[name, { ...before, fact: { ...fact, value: completed(fact.value, before.fact.value, isUnread) } }]]
}

type IsUnread = (part: Readonly<Record<string, unknown>>) => boolean

/** An `Attempt` that failed. */
const isFailed: IsUnread = ({ ok }) => ok === false

/** A `ModuleState` that could not be found out. */
const isUnknownModule: IsUnread = ({ state }) => state === ('unknown' satisfies ModuleState['state'])

/**
 * Some facts have parts that fail apart from each other. `state: 'unknown'` says so of a kernel module only: elsewhere it is what was
 * read, for instance a label of the Node with this key and value.
 */
const unreadParts = (name: DetectorName): IsUnread =>
  name === 'kernel-modules' ? part => isFailed(part) || isUnknownModule(part) : isFailed

/** A fact without a part that could not be read. */
const isWhole = (value: unknown, isUnread: IsUnread): boolean =>
  !isRecord(value) || (!isUnread(value) && Object.values(value).every(part => isWhole(part, isUnread)))

const wasNotAsked = (value: unknown): boolean => isRecord(value) && value['asked'] === false

/** A value whose unread parts are those of an earlier one. */
function completed(value: unknown, before: unknown, isUnread: IsUnread): unknown {
  if (!isRecord(value)) return value
  if (isUnread(value)) return before ?? value
  if (!isRecord(before)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, completed(part, before[key], isUnread)]))
}

/** Of named parts; a list or a map is one part. */
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
