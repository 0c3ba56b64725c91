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
export type Quarrels = Readonly<Record<string, { readonly repairs: readonly number[]; readonly restUntil: number }>>

const WINDOW = 60_000
const PATIENCE = 5
const REST = 60_000

export interface Truce {
  readonly quarrels: Quarrels
  /** Keys that were repaired too often in a minute just now: they rest, and are told about once. */
  readonly begun: readonly string[]
}

/** Somebody keeps undoing what we write: more than five repairs of one key in a minute, and that key rests for another. Pure. */
export function repaired(quarrels: Quarrels, keys: readonly string[], now: number): Truce {
  const begun: string[] = []
  const next = { ...quarrels }
  for (const key of keys) {
    const recent = [...(next[key]?.repairs ?? []).filter(at => now - at < WINDOW), now]
    const isOver = recent.length > PATIENCE
    if (isOver) begun.push(key)
    next[key] = { repairs: isOver ? [] : recent, restUntil: isOver ? now + REST : (next[key]?.restUntil ?? 0) }
  }
  return { quarrels: next, begun }
}

/** Keys that rest now, and when the first of them may be written again (milliseconds), 0 when none rests. Pure. */
export function resting(quarrels: Quarrels, now: number): { readonly keys: ReadonlySet<string>; readonly until: number } {
  const over = Object.entries(quarrels).filter(([, { restUntil }]) => restUntil > now)
  return {
    keys: new Set(over.map(([key]) => key)),
    until: Math.min(...over.map(([, { restUntil }]) => restUntil), Number.POSITIVE_INFINITY)
  }
}
