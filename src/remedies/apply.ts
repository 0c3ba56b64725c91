import type { NodeFacts } from '../facts/observe.ts'
import type { HostWriter } from '../host/writer.ts'
import { ALL_REMEDIES, type RemedyName, type RemedyTerms } from './all.ts'
import { asDeed, type Deed } from './deed.ts'
import type { Outcome } from './outcome.ts'
import type { PlanStep } from './plan.ts'

/** What a look at the node came to, as far as a remedy is concerned. */
export interface Observed {
  readonly facts: NodeFacts
  readonly plan: readonly PlanStep[]
}

/**
 * Does what the plan says may be done, one thing at a time, and looks again after each: whether a remedy helped is seen, not
 * believed. `rest` tells why a remedy is left alone for now, empty where it is not.
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

/** Takes everything back that we did to this node, the last deed first. */
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

/** What came of it, from what was said and from what is seen afterwards. */
export function judge(step: PlanStep, deed: Deed, after: PlanStep, now: Date): Outcome {
  const common = { remedy: step.remedy, at: now.toISOString(), tail: deed.tail.slice(-2000) }
  if (deed.failure !== undefined) return { ...common, result: 'failed', because: deed.failure.slice(0, 500) }
  if (after.decision === 'not-needed') {
    const kept = deed.persistent ? 'persistent' : 'persistent: no'
    return { ...common, result: 'applied', because: `${deed.did} (${kept})`.slice(0, 500) }
  }
  return { ...common, result: 'ineffective', because: `${deed.did}, but still: ${after.because}`.slice(0, 500) }
}
