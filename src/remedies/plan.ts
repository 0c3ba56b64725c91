import type { NodeFacts } from '../facts/observe.ts'
import { ALL_REMEDIES, type PlanTerms, type RemedyName } from './all.ts'
import type { Decision } from './define-remedy.ts'

export interface PlanStep extends Decision {
  readonly remedy: RemedyName
}

/** What each remedy would change on this node, and what prevents it. Planning changes nothing. */
export const plan = (facts: NodeFacts, terms: PlanTerms): readonly PlanStep[] =>
  ALL_REMEDIES.map(({ name, plan }) => ({ remedy: name, ...unlessPrevented(plan(facts, terms), terms) }))

/** `cannotAct` blocks every remedy that would be applied. */
const unlessPrevented = (decided: Decision, { cannotAct = '' }: PlanTerms): Decision =>
  decided.decision === 'apply' && cannotAct !== '' ? { decision: 'blocked', because: cannotAct } : decided
