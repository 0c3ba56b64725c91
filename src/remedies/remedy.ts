import type { NodeFacts } from '../facts/observe.ts'
import type { HostWriter } from '../host/writer.ts'
import type { RemedyName } from './plan.ts'

export const RESULTS = ['applied', 'ineffective', 'failed', 'forbidden', 'blocked', 'not-needed'] as const

/** What came of a remedy, or why it was not tried. */
export interface Outcome {
  readonly remedy: RemedyName
  readonly result: (typeof RESULTS)[number]
  /** One sentence with the measured values. */
  readonly because: string
  /** When it was tried, ISO 8601; empty where it was not. */
  readonly at: string
  /** The last lines that the tool wrote, empty where there are none. */
  readonly tail: string
}

/** What a remedy says after it acted; whether that changed anything is seen by looking again, not believed. */
export interface Deed {
  /** It could not be done, and why; `undefined` when everything was done that there is to do. */
  readonly failure: string | undefined
  /** What was done, in one sentence. */
  readonly did: string
  /** Survives a reboot. */
  readonly persistent: boolean
  readonly tail: string
}

/** One thing that can be mended. It acts on the node only, and throws only for bugs. */
export interface Remedy<Terms> {
  readonly name: RemedyName
  readonly apply: (host: HostWriter, facts: NodeFacts, terms: Terms) => Promise<Deed>
  /** Takes back what the journal says that we did; says what was done, or why nothing was. */
  readonly undo: (host: HostWriter, terms: Terms) => Promise<Deed>
}
