import { growing } from '../growing-wait.ts'

/** Labels and annotations that the API refused (an admission webhook does), by key. An immutable value. */
export type RefusedKeys = ReadonlyMap<string, Refusal>

interface Refusal {
  /** The refused value; another value is tried at once. `null` removes the key. */
  readonly value: string | null
  /** When the same value is tried again (milliseconds). */
  readonly until: number
  readonly times: number
}

/** The waits until a refused value is tried again (milliseconds): the refusal may be permanent. */
export const REFUSED = { first: 30_000, longest: 600_000 }

export const NO_REFUSED_KEYS: RefusedKeys = new Map()

export function withRefusal(keys: RefusedKeys, key: string, value: string | null, now: number): RefusedKeys {
  const times = (keys.get(key)?.times ?? 0) + 1
  return new Map([...keys, [key, { value, until: now + growing(REFUSED, times), times }]])
}

export const isWaiting = (keys: RefusedKeys, key: string, value: string | null, now: number): boolean => {
  const before = keys.get(key)
  return before !== undefined && before.until > now && before.value === value
}

/** The refusals of keys that still have to be written. */
export const stillOpen = (keys: RefusedKeys, isOpen: (key: string) => boolean): RefusedKeys =>
  new Map([...keys].filter(([key]) => isOpen(key)))

/** When the next refused key is tried again (milliseconds), infinity when none waits. */
export const nextTry = (keys: RefusedKeys, now: number): number =>
  Math.min(...[...keys.values()].map(({ until }) => until).filter(until => until > now))
