import type { NodeFacts } from '../facts/observe.ts'
import type { Proofs } from '../facts/proofs.ts'
import type { HostWriter } from '../host/writer.ts'
import type { Policy } from '../verdicts/policy.ts'
import type { Deed } from './deed.ts'

export interface Decision {
  /** `blocked`: the node does not allow it; `forbidden`: it is possible, but the operator does not permit it. */
  readonly decision: 'apply' | 'forbidden' | 'blocked' | 'not-needed'
  readonly because: string
}

/** What every plan rests on besides the facts. A remedy can add terms of its own. */
export interface CommonPlanTerms {
  readonly permits: readonly string[]
  readonly policy: Policy
  /** Why the helper may change nothing: the journal cannot be written, or another helper may be running. */
  readonly cannotAct?: string
}

/** What every remedy gets besides the node and its facts. A remedy can add terms of its own. */
export interface CommonTerms {
  readonly now: () => Date
  /** Makes the trials again, after a module has been loaded. */
  readonly prove: () => Promise<Proofs>
}

/** How a remedy changes the node. It throws only for bugs and for the errors that `attempt` catches. */
export interface Action<Terms extends object = object, PlanTerms extends object = object> {
  /** What only the helper can see and the plan of this remedy rests on. Changes nothing. */
  readonly inspect?: (host: HostWriter, terms: Terms) => Promise<Partial<PlanTerms>>
  readonly apply: (host: HostWriter, facts: NodeFacts, terms: Terms) => Promise<Deed>
  /** Undoes what the journal says that we did; reports what was undone, or why nothing was. */
  readonly undo: (host: HostWriter, terms: Terms) => Promise<Deed>
}

/** One remedy: who permits it, whether it is needed, and how it is applied. `all.ts` lists them. */
export interface RemedyDefinition<
  Name extends string,
  Permit extends string,
  PlanTerms extends object = object,
  Terms extends object = object
> {
  readonly name: Name
  /** What each permit lets the helper do, in one line for the documents. */
  readonly permits: Readonly<Record<Permit, string>>
  /** Only reads the facts and the terms. */
  readonly plan: (facts: NodeFacts, terms: CommonPlanTerms & PlanTerms) => Decision
  /** Only the helper loads it. */
  readonly load: () => Promise<Action<Terms, PlanTerms>>
}

export const defineRemedy = <
  const Name extends string,
  const Permit extends string,
  PlanTerms extends object = object,
  Terms extends object = object
>(
  definition: RemedyDefinition<Name, Permit, PlanTerms, Terms>
): RemedyDefinition<Name, Permit, PlanTerms, Terms> => definition
