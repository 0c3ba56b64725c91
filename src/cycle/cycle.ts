import type { Sources } from '../facts/define-fact.ts'
import { observe, withDerived } from '../facts/observe.ts'
import type { PlanTerms } from '../remedies/all.ts'
import type { Outcome } from '../remedies/outcome.ts'
import { plan } from '../remedies/plan.ts'
import { decide } from '../verdicts/decide.ts'
import { type Memory, NO_MEMORY, recollect } from './memory.ts'
import type { Snapshot } from './snapshot.ts'

/** Time, as the caller has it: milliseconds that only grow, and the date. */
export interface Clock {
  readonly elapsed: () => number
  readonly now: () => Date
}

/** What an agent carries from one pass to the next. */
export interface Past {
  readonly memory: Memory
  /** How long a fact that cannot be read keeps its last value, milliseconds. */
  readonly patience: number
}

/** The node, and what a privileged helper says that it did to it. */
export interface CycleSources extends Sources {
  readonly outcomes?: readonly Outcome[]
}

const NO_PAST: Past = { memory: NO_MEMORY, patience: 0 }

/** One pass: look, remember, decide, and plan what could be mended. */
export async function cycle(
  { outcomes = [], ...sources }: CycleSources,
  terms: PlanTerms,
  clock: Clock,
  { memory, patience } = NO_PAST
): Promise<Snapshot> {
  const { facts: seen, durations } = await observe({ ...sources, kubeletRoot: terms.policy.kubeletRoot }, clock.elapsed)
  const recollection = recollect(memory, seen, clock.elapsed(), patience)
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
