import type { NodeFacts } from '../facts/observe.ts'
import { ALL_REMEDIES, type PlanTerms, type RemedyName } from './all.ts'
import type { Decision } from './define-remedy.ts'

export interface PlanStep extends Decision {
  readonly remedy: RemedyName
}

/** What could be mended here, and what prevents it. Nothing is done by planning. */
export const plan = (facts: NodeFacts, terms: PlanTerms): readonly PlanStep[] =>
  ALL_REMEDIES.map(({ name, plan }) => ({ remedy: name, ...held(plan(facts, terms), terms) }))

const held = (decided: Decision, { cannotAct = '' }: PlanTerms): Decision =>
  decided.decision === 'apply' && cannotAct !== '' ? { decision: 'blocked', because: cannotAct } : decided
