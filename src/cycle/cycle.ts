import type { Sources } from '../facts/fact.ts'
import { observe } from '../facts/observe.ts'
import { type PlanTerms, plan } from '../remedies/plan.ts'
import { decide } from '../verdicts/decide.ts'
import type { Snapshot } from './snapshot.ts'

/** Time, as the caller has it: milliseconds that only grow, and the date. */
export interface Clock {
  readonly elapsed: () => number
  readonly now: () => Date
}

/** One pass: look, decide, and plan what could be mended. */
export async function cycle(sources: Sources, terms: PlanTerms, clock: Clock): Promise<Snapshot> {
  const { facts, durations } = await observe(sources, clock.elapsed)
  const verdicts = decide(facts, terms.policy)
  return Object.freeze({ at: clock.now().toISOString(), facts, verdicts, plan: plan(facts, terms), durations })
}
