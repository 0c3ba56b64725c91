import { setImmediate as breath } from 'node:timers/promises'

/** Time that goes on only when it is told to: a second of 15,000 agents takes what their code takes. */
export interface Time {
  /** Milliseconds since the beginning. */
  readonly elapsed: () => number
  readonly now: () => Date
  readonly at: (moment: number, act: () => void) => void
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  /** Everything that is due until then happens, in order. */
  readonly until: (moment: number) => Promise<void>
}

const BEGINNING = Date.UTC(2026, 0, 1)

export function createTime(): Time {
  let elapsed = 0
  const due = new Map<number, (() => void)[]>()
  const at = (moment: number, act: () => void): void => {
    const tick = Math.max(elapsed, Math.ceil(moment))
    const acts = due.get(tick)
    if (acts === undefined) due.set(tick, [act])
    else acts.push(act)
  }
  return {
    elapsed: () => elapsed,
    now: () => new Date(BEGINNING + elapsed),
    at,
    sleep: (milliseconds, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        // Whoever was woken by the signal is not woken again.
        at(elapsed + Math.max(1, milliseconds), resolve)
        signal?.addEventListener('abort', () => resolve(), { once: true })
      }),
    until: async moment => {
      for (; elapsed < moment; elapsed += 1) {
        for (let acts = due.get(elapsed); acts !== undefined; acts = due.get(elapsed)) {
          due.delete(elapsed)
          for (const act of acts) act()
          // All that follows from it without waiting.
          await breath()
        }
      }
    }
  }
}

/** The same on every run: mulberry32. */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
