import { growing } from '../growing-wait.ts'
import type { RemedyName } from './all.ts'
import type { Outcome } from './outcome.ts'

/** The pauses after a failure (milliseconds). */
const PAUSE = { first: 60_000, longest: 3_600_000 }

export interface Rests {
  /** The last failure of a remedy that must not be tried yet; `undefined` if it may be tried. */
  readonly rest: (remedy: RemedyName) => Outcome | undefined
  /** Records the outcomes of a turn. Returns those of remedies that were tried in it. */
  readonly record: (outcomes: readonly Outcome[]) => readonly Outcome[]
  /** The outcomes to report. `applied` is still reported after the remedy has become `not-needed`. */
  readonly report: (outcomes: readonly Outcome[]) => readonly Outcome[]
}

/** Remembers which remedies were tried, so that a remedy that fails is not tried again every minute. */
export function createRests(now: () => Date): Rests {
  const last = new Map<RemedyName, { readonly outcome: Outcome; readonly failures: number }>()
  return {
    rest: remedy => {
      const { outcome, failures } = last.get(remedy) ?? { outcome: undefined, failures: 0 }
      if (outcome === undefined || failures === 0) return undefined
      const age = now().getTime() - Date.parse(outcome.at)
      // If the clock was set back, the remedy must not wait for ever.
      return age >= 0 && age < growing(PAUSE, failures) ? outcome : undefined
    },
    record: outcomes => {
      const tried = outcomes.filter(({ remedy, at }) => at !== '' && last.get(remedy)?.outcome.at !== at)
      for (const outcome of tried) {
        const failures = outcome.result === 'applied' ? 0 : (last.get(outcome.remedy)?.failures ?? 0) + 1
        last.set(outcome.remedy, { outcome, failures })
      }
      return tried
    },
    report: outcomes =>
      outcomes.map(outcome => {
        const before = last.get(outcome.remedy)?.outcome
        return outcome.result === 'not-needed' && before?.result === 'applied' ? before : outcome
      })
  }
}
