import type { Labels } from './labels.ts'

export type DriftKind = 'removed' | 'changed' | 'added'

export interface Drift {
  readonly key: string
  readonly kind: DriftKind
}

/** How the labels below our prefix differ from what they were when we last saw them right. Pure. */
export function driftOf(right: Labels, carried: Labels, prefix: string): readonly Drift[] {
  const ours = [...new Set([...Object.keys(right), ...Object.keys(carried)])].filter(key => key.startsWith(`${prefix}/`))
  return ours.flatMap(key => {
    const [wanted, found] = [right[key], carried[key]]
    if (wanted === found) return []
    const kind: DriftKind = found === undefined ? 'removed' : wanted === undefined ? 'added' : 'changed'
    return [{ key, kind }]
  })
}

/** The repairs of one key that belong to one quarrel, by their times (milliseconds). */
export type Quarrels = ReadonlyMap<string, Quarrel>

interface Quarrel {
  readonly repairs: readonly number[]
  readonly restUntil: number
}

export const NO_QUARRELS: Quarrels = new Map()

const WINDOW = 60_000
const PATIENCE = 5
const REST = 60_000

export interface Truce {
  readonly quarrels: Quarrels
  /** Keys that were repaired too often in a minute just now: they rest, and are told about once. */
  readonly begun: readonly string[]
}

/** Keys that are remembered. Whoever changes more of them in a minute has each repaired as it comes, and none of them rests. */
const MOST = 1_000

/** Somebody keeps undoing what we write: more than five repairs of one key in a minute, and that key rests for another. Pure. */
export function repaired(quarrels: Quarrels, keys: readonly string[], now: number): Truce {
  const begun: string[] = []
  const next = new Map([...quarrels].filter(([, quarrel]) => isRemembered(quarrel, now)))
  for (const key of keys) {
    const before = next.get(key)
    const recent = [...(before?.repairs ?? []).filter(at => now - at < WINDOW), now]
    const isOver = recent.length > PATIENCE
    if (isOver) begun.push(key)
    // Behind all others, since those that were repaired longest ago are forgotten first.
    next.delete(key)
    next.set(key, { repairs: isOver ? [] : recent, restUntil: isOver ? now + REST : (before?.restUntil ?? 0) })
  }
  return { quarrels: new Map([...next].slice(-MOST)), begun }
}

/** Anybody may add keys, and so what decides nothing any more must go. */
const isRemembered = ({ repairs, restUntil }: Quarrel, now: number): boolean =>
  restUntil > now || repairs.some(at => now - at < WINDOW)

/** Keys that rest now, and when the first of them may be written again (milliseconds), infinity when none rests. Pure. */
export function resting(quarrels: Quarrels, now: number): { readonly keys: ReadonlySet<string>; readonly until: number } {
  const over = [...quarrels].filter(([, { restUntil }]) => restUntil > now)
  return {
    keys: new Set(over.map(([key]) => key)),
    until: over.reduce((first, [, { restUntil }]) => Math.min(first, restUntil), Number.POSITIVE_INFINITY)
  }
}
