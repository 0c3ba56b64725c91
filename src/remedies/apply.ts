import type { NodeFacts } from '../facts/observe.ts'
import type { HostWriter } from '../host/writer.ts'
import { ALL_REMEDIES, type RemedyName, type RemedyTerms } from './all.ts'
import { asDeed, type Deed } from './deed.ts'
import type { Outcome } from './outcome.ts'
import type { PlanStep } from './plan.ts'

/** The part of an observation that remedies need. */
export interface Observed {
  readonly facts: NodeFacts
  readonly plan: readonly PlanStep[]
}

/**
 * Applies the remedies that the plan allows, one at a time, and observes the node after each: only the observation shows whether a remedy
 * helped. `rest` returns the last failure of a remedy that must not be tried yet.
 */
export async function applyPlan<S extends Observed>(
  host: HostWriter,
  before: S,
  terms: RemedyTerms & { readonly observe: () => Promise<S>; readonly rest: (remedy: RemedyName) => Outcome | undefined }
): Promise<{ readonly outcomes: readonly Outcome[]; readonly after: S }> {
  let observed = before
  const outcomes: Outcome[] = []
  for (const { name, load } of ALL_REMEDIES) {
    const step = stepOf(observed, name)
    const resting = step.decision === 'apply' ? terms.rest(name) : undefined
    if (step.decision !== 'apply' || resting !== undefined) {
      outcomes.push(resting ?? untouched(step))
      continue
    }
    const [{ facts }, { apply }] = [observed, await load()]
    const deed = await asDeed(() => apply(host, facts, terms))
    observed = await terms.observe()
    outcomes.push(judge(step, deed, stepOf(observed, name), terms.now()))
  }
  return { outcomes, after: observed }
}

/** Undoes everything that berth did to this node, the last remedy first. */
export async function undoAll(
  host: HostWriter,
  terms: RemedyTerms
): Promise<readonly (Deed & { readonly remedy: RemedyName })[]> {
  const deeds: (Deed & { readonly remedy: RemedyName })[] = []
  for (const { name, load } of ALL_REMEDIES.toReversed()) {
    const { undo } = await load()
    deeds.push({ remedy: name, ...(await asDeed(() => undo(host, terms))) })
  }
  return deeds
}

const stepOf = ({ plan }: Observed, name: RemedyName): PlanStep =>
  plan.find(({ remedy }) => remedy === name) ?? { remedy: name, decision: 'not-needed', because: 'it is not planned' }

const untouched = ({ remedy, decision, because }: PlanStep): Outcome => ({
  remedy,
  result: decision === 'apply' ? 'blocked' : decision,
  because: because.slice(0, 500),
  at: '',
  tail: ''
})

/** The outcome of a remedy, from its own report and from the plan after the next observation. */
export function judge(step: PlanStep, deed: Deed, after: PlanStep, now: Date): Outcome {
  const common = { remedy: step.remedy, at: now.toISOString(), tail: deed.tail.slice(-2000) }
  if (deed.failure !== undefined) return { ...common, result: 'failed', because: deed.failure.slice(0, 500) }
  if (after.decision === 'not-needed') {
    const kept = deed.persistent ? 'persistent' : 'persistent: no'
    return { ...common, result: 'applied', because: `${deed.did} (${kept})`.slice(0, 500) }
  }
  return { ...common, result: 'ineffective', because: `${deed.did}, but still: ${after.because}`.slice(0, 500) }
}
