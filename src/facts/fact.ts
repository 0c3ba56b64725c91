import type { Evidence } from '../host/host.ts'

/** A known value with its evidence, or unknown with the reason. "It does not exist" is a known value. */
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

/** Thrown if everything could be read but does not answer the question. */
export class Unsure extends Error {
  constructor(why: string) {
    super(why)
    this.name = 'Unsure'
  }
}

/** A value, or the reason why it could not be read; for detectors whose parts fail independently. */
export type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }
