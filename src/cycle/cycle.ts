import type { Sources } from '../facts/define-fact.ts'
import { observe, withDerived } from '../facts/observe.ts'
import type { PlanTerms } from '../remedies/all.ts'
import type { Outcome } from '../remedies/outcome.ts'
import { plan } from '../remedies/plan.ts'
import { decide } from '../verdicts/decide.ts'
import { type Memory, NO_MEMORY, recollect } from './memory.ts'
import type { Snapshot } from './snapshot.ts'

/** The time: monotonic milliseconds, and the date. */
export interface Clock {
  readonly elapsed: () => number
  readonly now: () => Date
}

/** What an agent keeps from one cycle for the next. */
export interface Past {
  readonly memory: Memory
  /** How long a fact that cannot be read keeps its last value, milliseconds. */
  readonly patience: number
}

/** The node, and the results of a privileged helper. */
export interface CycleSources extends Sources {
  readonly outcomes?: readonly Outcome[]
}

const NO_PAST: Past = { memory: NO_MEMORY, patience: 0 }

/** One cycle: observes, recalls what cannot be read now, decides, and plans the remedies. */
export async function cycle(
  { outcomes = [], ...sources }: CycleSources,
  terms: PlanTerms,
  clock: Clock,
  { memory, patience } = NO_PAST
): Promise<Snapshot> {
  const { facts: observed, durations } = await observe({ ...sources, kubeletRoot: terms.policy.kubeletRoot }, clock.elapsed)
  const recollection = recollect(memory, observed, clock.elapsed(), patience)
  const facts = withDerived(recollection.facts)
  return Object.freeze({
    at: clock.now().toISOString(),
    facts,
    verdicts: decide(facts, terms.policy),
    plan: plan(facts, terms),
    outcomes,
    durations,
    memory: recollection.memory,
    recalled: recollection.recalled
  })
}
