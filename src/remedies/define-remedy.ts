import type { NodeFacts } from '../facts/observe.ts'
import type { Proofs } from '../facts/proofs.ts'
import type { HostWriter } from '../host/writer.ts'
import type { Policy } from '../verdicts/policy.ts'
import type { Deed } from './deed.ts'

export interface Decision {
  /** `blocked`: the node does not allow it; `forbidden`: it could be done, and the operator does not permit it. */
  readonly decision: 'apply' | 'forbidden' | 'blocked' | 'not-needed'
  readonly because: string
}

/** What a plan rests on besides the facts. */
export interface PlanTerms {
  readonly permits: readonly string[]
  readonly maxUserNamespaces: number
  readonly policy: Policy
  /** Sysctls that the helper wrote while the Bottlerocket API was away, which is there now. */
  readonly unstored?: readonly string[]
  /** Why a build of shiftfs could not begin, as far as the helper alone can see it: no source, no compiler, no space. */
  readonly cannotBuild?: string
  /** Why nothing may be done at all: it could not be written down, or somebody else might be at work. */
  readonly cannotAct?: string
}

/** Everything that applying a remedy needs besides the node and its facts. */
export interface RemedyTerms {
  /** The operator's sources of shiftfs, empty where none were given. */
  readonly source: string
  readonly scratch: string
  /** Whether what was built shall be there after a reboot too. */
  readonly persist: boolean
  readonly maxUserNamespaces: number
  readonly now: () => Date
  /** Tries the module that was just loaded. */
  readonly prove: () => Promise<Proofs>
}

/** How a remedy acts on the node. It throws only for bugs and for what `attempt` catches. */
export interface Action<Terms = RemedyTerms> {
  readonly apply: (host: HostWriter, facts: NodeFacts, terms: Terms) => Promise<Deed>
  /** Takes back what the journal says that we did; says what was done, or why nothing was. */
  readonly undo: (host: HostWriter, terms: Terms) => Promise<Deed>
}

/** One thing that can be mended: who permits it, whether it is needed, and how it is done. `all.ts` lists them. */
export interface RemedyDefinition<Name extends string, Permit extends string> {
  readonly name: Name
  /** By its name, what each permit lets the helper do, in a line for the documents. */
  readonly permits: Readonly<Record<Permit, string>>
  /** Does nothing and asks nothing: only facts and terms count. */
  readonly plan: (facts: NodeFacts, terms: PlanTerms) => Decision
  /** Loaded by the helper alone. */
  readonly load: () => Promise<Action>
}

export const defineRemedy = <const Name extends string, const Permit extends string>(
  definition: RemedyDefinition<Name, Permit>
): RemedyDefinition<Name, Permit> => definition
