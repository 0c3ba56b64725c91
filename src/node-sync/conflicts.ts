/**
 * Keys that somebody else keeps changing back after we repaired them, by key. A key that was repaired more than five times in a minute
 * is left alone for another minute. An immutable value.
 */
export type Conflicts = ReadonlyMap<string, Conflict>

interface Conflict {
  /** Times of the latest repairs (milliseconds). */
  readonly repairs: readonly number[]
  readonly pausedUntil: number
}

export const NO_CONFLICTS: Conflicts = new Map()

const WINDOW = 60_000
const REPAIRS = 5
const PAUSE = 60_000
/** How many keys are remembered. If more keys are changed within a minute, the oldest are forgotten and never paused. */
const MOST = 1_000

/** Counts one more repair of each key at `now`. `begun` are the keys whose pause begins with it. */
export function afterRepair(
  conflicts: Conflicts,
  keys: readonly string[],
  now: number
): { readonly conflicts: Conflicts; readonly begun: readonly string[] } {
  const begun: string[] = []
  const next = new Map([...conflicts].filter(([, conflict]) => isRemembered(conflict, now)))
  for (const key of keys) {
    const before = next.get(key)
    const recent = [...(before?.repairs ?? []).filter(at => now - at < WINDOW), now]
    const isConflict = recent.length > REPAIRS
    if (isConflict) begun.push(key)
    // Moves the key to the end, because the keys at the beginning are forgotten first.
    next.delete(key)
    next.set(key, { repairs: isConflict ? [] : recent, pausedUntil: isConflict ? now + PAUSE : (before?.pausedUntil ?? 0) })
  }
  return { conflicts: new Map([...next].slice(-MOST)), begun }
}

/** Entries that no longer matter are dropped, because anybody may add keys. */
const isRemembered = ({ repairs, pausedUntil }: Conflict, now: number): boolean =>
  pausedUntil > now || repairs.some(at => now - at < WINDOW)

/** Keys that are paused at `now`, and when the first of them may be written again (milliseconds), infinity when none is paused. */
export function paused(conflicts: Conflicts, now: number): { readonly keys: ReadonlySet<string>; readonly until: number } {
  const found = [...conflicts].filter(([, { pausedUntil }]) => pausedUntil > now)
  return {
    keys: new Set(found.map(([key]) => key)),
    until: found.reduce((first, [, { pausedUntil }]) => Math.min(first, pausedUntil), Number.POSITIVE_INFINITY)
  }
}
