import type { NodeFacts } from '../facts/observe.ts'
import type { Policy } from './policy.ts'
import type { Verdict } from './verdict.ts'

/** One kind of workspace: what it is, and whether a node can host it. `all.ts` lists them. */
export interface CapabilityDefinition<Name extends string> {
  /** As in the label, the metric and the options: `cached-cvm`. */
  readonly name: Name
  /** What a node with the label can host, in one line for the documents. */
  readonly describes: string
  readonly judge: (facts: NodeFacts, policy: Policy) => Verdict
  /** Judged only where this is true; missing: always. */
  readonly isAsked?: (policy: Policy) => boolean
}

export const defineCapability = <const Name extends string>(definition: CapabilityDefinition<Name>): CapabilityDefinition<Name> =>
  definition
