import type { Evidence } from '../host/host.ts'

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

/** Everything could be read, and still it does not tell. */
export class Unsure extends Error {
  constructor(why: string) {
    super(why)
    this.name = 'Unsure'
  }
}

/** A value that could be read, or why not; for detectors whose parts fail apart from each other. */
export type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }
