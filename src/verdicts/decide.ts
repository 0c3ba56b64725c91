import type { NodeFacts } from '../facts/observe.ts'
import { ALL_CAPABILITIES, type Capability } from './all.ts'
import type { Policy } from './policy.ts'
import type { Verdict } from './verdict.ts'

/** `privileged` is there only when the operator opted in. */
export type Verdicts = Readonly<Record<Exclude<Capability, 'privileged'>, Verdict>> & { readonly privileged?: Verdict }

/** What this node can host. */
export function decide(facts: NodeFacts, policy: Policy): Verdicts {
  const asked = ALL_CAPABILITIES.filter(({ isAsked }) => isAsked?.(policy) ?? true)
  return Object.fromEntries(asked.map(({ name, judge }) => [name, judge(facts, policy)])) as unknown as Verdicts
}
