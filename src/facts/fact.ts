import type { Evidence, HostReader } from '../host/host.ts'
import type { NodeObject } from './node-object.ts'
import type { Proofs } from './proofs.ts'
import type { Readings } from './readings.ts'
import type { DraDevices } from './resource-slices.ts'

/** Known with what was seen, or unknown with the reason. "It is not there" is a known value, not an unknown. */
export type Fact<T> = Known<T> | Unknown

export interface Known<T> {
  readonly known: true
  readonly value: T
  readonly evidence: readonly Evidence[]
}

export interface Unknown {
  readonly known: false
  readonly why: string
  readonly evidence: readonly Evidence[]
}

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

/** Looks, and returns a value; what cannot be known is thrown as `HostError` or `Unsure`. */
export type Detector<T> = (sources: Sources) => Promise<T>

/** Everything could be read, and still it does not tell. */
export class Unsure extends Error {
  constructor(why: string) {
    super(why)
    this.name = 'Unsure'
  }
}

/** A value that could be read, or why not; for detectors whose parts fail apart from each other. */
export type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }
