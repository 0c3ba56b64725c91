import type { Evidence, HostReader } from '../host/host.ts'
import type { Attempt, Fact } from './fact.ts'
import type { NodeObject } from './node-object.ts'
import type { Proofs } from './proofs.ts'
import type { Readings } from './readings.ts'
import type { DraDevices } from './resource-slices.ts'

/** Everything that a fact may be detected from. */
export interface Sources {
  readonly host: HostReader
  /** The Node object, where a cluster or a file gave one. */
  readonly node: NodeObject | undefined
  /** The Pod Security `enforce` level of the workspaces' namespace, empty where none is set; where an operator named one. */
  readonly podSecurity: Attempt<string> | undefined
  /** What NVIDIA's DRA driver publishes for this node; missing where it was not asked. */
  readonly resourceSlices?: Attempt<DraDevices> | undefined
  /** The kubelet's root, where an operator named it; empty or missing: to be found. */
  readonly kubeletRoot?: string
  /** What a privileged helper tried on this node, under this boot. */
  readonly proofs?: Proofs | undefined
  /** What the helper read that only root can read. */
  readonly readings?: Readings | undefined
}

/** Returns a value; what cannot be known is thrown as `HostError` or `Unsure`. */
export type Detector<T> = (sources: Sources) => Promise<T>

/** One fact: what it is, how it is detected, and how it is shown. `all.ts` lists them. */
export interface FactDefinition<Name extends string, T> {
  /** As in the report, in metrics and in the documents: `kernel-modules`. */
  readonly name: Name
  /** One line for the table of facts in the documents. */
  readonly describes: string
  readonly detect: Detector<T>
  /** The value in one line for people. */
  readonly format: (value: T) => string
  /** Evidence for what came from the API, the helper or the operator instead of the node's files. */
  readonly given?: (sources: Sources, value: T) => readonly Evidence[]
  readonly label?: FactLabel<T>
  /** No verdict and no label rests on it, so that the Node's condition does not mind when it is unknown. */
  readonly isForPeople?: boolean
}

/** The label that shows a fact on the Node. */
export interface FactLabel<T> {
  /** Without the prefix. */
  readonly name: string
  /** One line for the table of labels: what the label says about a node. */
  readonly describes: string
  /** Its values, for the documents. */
  readonly values: string
  /** `undefined`: the Node does not carry the label. */
  readonly of: (value: T) => string | undefined
  /** The label's value while the fact is unknown; `undefined` as above. */
  readonly whenUnknown: 'unknown' | undefined
}

export const defineFact = <const Name extends string, T>(definition: FactDefinition<Name, T>): FactDefinition<Name, T> =>
  definition

/** A fact that follows from others and is not detected itself. */
export interface DerivedFact<Name extends string, T, From> extends Omit<FactDefinition<Name, T>, 'detect' | 'given'> {
  readonly derive: (from: From) => Fact<T>
}

export const deriveFact = <const Name extends string, T, From>(
  definition: DerivedFact<Name, T, From>
): DerivedFact<Name, T, From> => definition
