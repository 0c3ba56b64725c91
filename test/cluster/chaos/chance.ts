/** Chance that is the same for the same seed (mulberry32). */
export interface Chance {
  /** From 0 up to 1. */
  readonly next: () => number
  readonly between: (least: number, most: number) => number
  readonly oneOf: <T>(things: readonly T[]) => T
  readonly shuffled: <T>(things: readonly T[]) => readonly T[]
}

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    next,
    between: (least, most) => least + next() * (most - least),
    oneOf: things => things[below(things.length)] as (typeof things)[number],
    shuffled: things => {
      const left = [...things]
      return things.map(() => left.splice(below(left.length), 1)[0] as (typeof things)[number])
    }
  }
}
