import type { NodeFacts } from '../facts/observe.ts'
import { ALL_CAPABILITIES, type Capability, type OptInCapability } from './all.ts'
import type { Policy } from './policy.ts'
import type { Verdict } from './verdict.ts'

/** One verdict for each capability; an opt-in capability is missing unless the operator asked for it. */
export type Verdicts = Readonly<Record<Exclude<Capability, OptInCapability>, Verdict> & Partial<Record<OptInCapability, Verdict>>>

/** `decide` judges which workspaces this node can host. */
export function decide(facts: NodeFacts, policy: Policy): Verdicts {
  const requested = ALL_CAPABILITIES.filter(({ optIn }) => optIn?.isRequested(policy) ?? true)
  return Object.fromEntries(requested.map(({ name, judge }) => [name, judge(facts, policy)])) as unknown as Verdicts
}
