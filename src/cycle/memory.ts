import type { Fact, Known } from '../facts/fact.ts'
import { type DetectedFacts, type DetectorName, detectors } from '../facts/observe.ts'

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
 * Holds against a moment's unreadability: a fact that cannot be read keeps its last whole value for `patience` milliseconds.
 * A fact that was read counts, whatever it was before. Pure.
 */
export function recollect(memory: Memory, seen: DetectedFacts, now: number, patience: number): Recollection {
  const bootId = seen['boot-id'].known ? seen['boot-id'].value : memory.bootId
  const past = bootId === memory.bootId ? memory.kept : {}
  const names = Object.keys(detectors) as DetectorName[]
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
  if (fact.known && isWhole(fact.value)) return [[name, { fact, at: now }]]
  return before !== undefined && now - before.at < patience ? [[name, before]] : []
}

/** Some facts have parts that fail apart from each other (`Attempt`, `ModuleState`): whole is one without a failed part. */
function isWhole(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if ('ok' in value && value.ok === false) return false
  if ('state' in value && value.state === 'unknown') return false
  return Object.values(value).every(isWhole)
}
