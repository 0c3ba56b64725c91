import type { Evidence, HostReader } from '../host/host.ts'
import type { Attempt, Fact } from './fact.ts'
import type { NodeObject } from './node-object.ts'
import type { Proofs } from './proofs.ts'
import type { Readings } from './readings.ts'
import type { DraDevices } from './resource-slices.ts'

/** The inputs of all detectors. */
export interface Sources {
  readonly host: HostReader
  /** The Node object from a cluster or a file. */
  readonly node: NodeObject | undefined
  /** The Pod Security `enforce` level of the workspaces' namespace, empty if none is set; `undefined` if the operator named no namespace. */
  readonly podSecurity: Attempt<string> | undefined
  /** The devices that NVIDIA's DRA driver publishes for this node; `undefined` if they were not read. */
  readonly resourceSlices?: Attempt<DraDevices> | undefined
  /** The kubelet's root directory from the options; if empty or missing, it is detected. */
  readonly kubeletRoot?: string
  /** The results of the privileged helper's trials on this node, in this boot. */
  readonly proofs?: Proofs | undefined
  /** Values that only root can read, from the privileged helper. */
  readonly readings?: Readings | undefined
}

/** A detector returns the value. It throws `HostError` or `Unsure` if the value cannot be known. */
export type Detector<T> = (sources: Sources) => Promise<T>

/** One fact: what it is, how it is detected, and how it is shown. `all.ts` lists them. */
export interface FactDefinition<Name extends string, T> {
  /** The name in the report, in metrics and in the documents: `kernel-modules`. */
  readonly name: Name
  /** One line for the table of facts in the documents. */
  readonly describes: string
  readonly detect: Detector<T>
  /** The value in one line for people. */
  readonly format: (value: T) => string
  /** Evidence for a value from the API, the helper or the operator instead of the node's files. */
  readonly furtherEvidence?: (sources: Sources, value: T) => readonly Evidence[]
  readonly label?: FactLabel<T>
  /** No verdict and no label depends on the fact, so the Node's condition ignores it if it is unknown. */
  readonly isInformational?: boolean
}

/** The label that shows a fact on the Node. */
export interface FactLabel<T> {
  /** Name of the label without the prefix. */
  readonly name: string
  /** One line for the table of labels: what the label says about a node. */
  readonly describes: string
  /** Possible values, for the documents. */
  readonly values: string
  /** `undefined`: the Node does not carry the label. */
  readonly of: (value: T) => string | undefined
  /** The label's value while the fact is unknown; `undefined`: the Node does not carry the label. */
  readonly whenUnknown: 'unknown' | undefined
}

export const defineFact = <const Name extends string, T>(definition: FactDefinition<Name, T>): FactDefinition<Name, T> =>
  definition

/** A fact that is derived from other facts. */
export interface DerivedFact<Name extends string, T, From> extends Omit<FactDefinition<Name, T>, 'detect' | 'furtherEvidence'> {
  readonly derive: (from: From) => Fact<T>
}

export const deriveFact = <const Name extends string, T, From>(
  definition: DerivedFact<Name, T, From>
): DerivedFact<Name, T, From> => definition
