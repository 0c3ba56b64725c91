import { growing } from '../waits.ts'
import type { RemedyName } from './all.ts'
import type { Outcome } from './outcome.ts'

/** Milliseconds after a failure. */
const PAUSE = { first: 60_000, longest: 3_600_000 }

export interface Rests {
  /** The last failure of a remedy that is left alone for now; `undefined` when it may be tried. */
  readonly rest: (remedy: RemedyName) => Outcome | undefined
  /** Takes what came of a turn, and gives back what was really tried in it. */
  readonly heard: (outcomes: readonly Outcome[]) => readonly Outcome[]
  /** What there is to tell: that something was applied stays news although it is not needed any more. */
  readonly news: (outcomes: readonly Outcome[]) => readonly Outcome[]
}

/** Remembers what was tried, so that what cannot work is not tried again every minute. */
export function createRests(now: () => Date): Rests {
  const last = new Map<RemedyName, { readonly outcome: Outcome; readonly failures: number }>()
  return {
    rest: remedy => {
      const { outcome, failures } = last.get(remedy) ?? { outcome: undefined, failures: 0 }
      if (outcome === undefined || failures === 0) return undefined
      const age = now().getTime() - Date.parse(outcome.at)
      // A clock that was set back must not hold a remedy for ever.
      return age >= 0 && age < growing(PAUSE, failures) ? outcome : undefined
    },
    heard: outcomes => {
      const tried = outcomes.filter(({ remedy, at }) => at !== '' && last.get(remedy)?.outcome.at !== at)
      for (const outcome of tried) {
        const failures = outcome.result === 'applied' ? 0 : (last.get(outcome.remedy)?.failures ?? 0) + 1
        last.set(outcome.remedy, { outcome, failures })
      }
      return tried
    },
    news: outcomes =>
      outcomes.map(outcome => {
        const before = last.get(outcome.remedy)?.outcome
        return outcome.result === 'not-needed' && before?.result === 'applied' ? before : outcome
      })
  }
}
