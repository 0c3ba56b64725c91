import type { NodeFacts } from '../facts/observe.ts'
import type { Policy } from './policy.ts'
import type { Verdict } from './verdict.ts'

/** One kind of workspace: what it is, and whether a node can host it. `all.ts` lists them. */
export interface CapabilityDefinition<Name extends string = string> {
  /** The name in the label, the metric and the options: `cached-cvm`. */
  readonly name: Name
  /** One line for the table of labels: what a node with this label can host. */
  readonly describes: string
  readonly judge: (facts: NodeFacts, policy: Policy) => Verdict
  readonly workspace: Workspace
  /** Only for capabilities that are judged when the operator asks for them. */
  readonly optIn?: OptIn
}

/** The example workspace, `manifests/workspaces/NAME.yaml` and `NAME.tf`, and what its nodes need. */
export interface Workspace {
  /** Lines of a comment in `berth template NAME --as nodepool`: what a node image must have besides the label. */
  readonly nodes: readonly string[]
  /** Further examples that run on the same nodes, by name. */
  readonly variants?: readonly string[]
  /** The node pool comes with an EC2NodeClass for Bottlerocket. */
  readonly runsOnBottlerocket?: boolean
  /** The pod runs a container-based virtual machine, whose volumes cannot be on NFS. */
  readonly isCvm?: boolean
}

export interface OptIn {
  readonly isRequested: (policy: Policy) => boolean
  /** The options that request it, for messages: `--privileged-workspaces or --workspace-namespace`. */
  readonly options: string
}

/** `defineCapability` returns the definition with its literal types, from which `all.ts` derives the names. */
export const defineCapability = <const Definition extends CapabilityDefinition>(definition: Definition): Definition => definition
