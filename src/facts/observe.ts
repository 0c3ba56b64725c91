import { HostError } from '../host/host.ts'
import type { Testimony } from '../host/testimony.ts'
import { evidenceOf, witness } from '../host/witness.ts'
import { type DERIVED_FACTS, DETECTED_FACTS, DETECTOR_NAMES, type DetectorName } from './all.ts'
import type { FactDefinition, Sources } from './define-fact.ts'
import { type Fact, Unsure } from './fact.ts'
import { MOUNT_SIGNS } from './numbers.ts'
import { shiftfsFact } from './shiftfs.ts'

type Detected = (typeof DETECTED_FACTS)[number]
type Derived = (typeof DERIVED_FACTS)[number]

/** The detected facts. */
export type DetectedFacts = {
  readonly [D in Detected as D['name']]: Fact<D extends FactDefinition<string, infer T> ? T : never>
}

/** The detected facts and those derived from them. */
export type NodeFacts = DetectedFacts & { readonly [D in Derived as D['name']]: ReturnType<D['derive']> }
export type FactName = keyof NodeFacts

export interface Observation {
  readonly facts: NodeFacts
  /** Seconds that each detector took; they run at the same time. */
  readonly durations: Readonly<Record<DetectorName, number>>
}

/**
 * `observe` detects every fact once. It never fails because of the node: a fact that cannot be read is unknown, with the reason.
 * `clock` returns milliseconds.
 */
export async function observe(sources: Sources, clock: () => number): Promise<Observation> {
  const shared = witness(sources.host)
  const observed = await Promise.all(
    DETECTOR_NAMES.map(async name => {
      const begin = clock()
      const fact = await observeFact(name, { ...sources, host: shared.host })
      return { name, fact, seconds: (clock() - begin) / 1000 }
    })
  )
  const detected = Object.fromEntries(observed.map(({ name, fact }) => [name, fact])) as unknown as DetectedFacts
  const durations = Object.fromEntries(observed.map(({ name, seconds }) => [name, seconds])) as Record<DetectorName, number>
  return { facts: withDerived(detected), durations }
}

/** `withDerived` adds the derived facts. */
export const withDerived = (detected: DetectedFacts): NodeFacts =>
  Object.freeze({ ...detected, [shiftfsFact.name]: shiftfsFact.derive(detected) })

/** `observeFact` detects one fact: known, or unknown with the reason. It throws only bugs. */
export async function observeFact(name: DetectorName, sources: Sources): Promise<Fact<unknown>> {
  const { detect, furtherEvidence } = BY_NAME[name]
  const observed = witness(sources.host)
  const evidence = () => observed.testimony().filter(isWorthShowing).map(evidenceOf)
  try {
    const value = await detect({ ...sources, host: observed.host })
    return { known: true, value, evidence: [...evidence(), ...(furtherEvidence?.(sources, value) ?? [])] }
  } catch (error) {
    if (!(error instanceof HostError || error instanceof Unsure)) throw error
    return { known: false, why: error.message, evidence: evidence() }
  }
}

const BY_NAME = Object.fromEntries(DETECTED_FACTS.map(fact => [fact.name, fact])) as unknown as Readonly<
  Record<DetectorName, FactDefinition<DetectorName, unknown>>
>

/** A check that /proc and /sys are mounted is shown only if it failed. */
const isWorthShowing = ({ verb, subject, answer }: Testimony): boolean =>
  verb !== 'stat' || answer === undefined || !(Object.values(MOUNT_SIGNS) as readonly string[]).includes(subject)
