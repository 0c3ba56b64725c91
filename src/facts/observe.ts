import { HostError } from '../host/host.ts'
import { evidenceOf, type Testimony, witness } from '../host/witness.ts'
import { type DERIVED_FACTS, DETECTED_FACTS, DETECTOR_NAMES, type DetectorName } from './all.ts'
import type { FactDefinition, Sources } from './define-fact.ts'
import { type Fact, Unsure } from './fact.ts'
import { MOUNT_SIGNS } from './numbers.ts'
import { shiftfsFact } from './shiftfs.ts'

type Detected = (typeof DETECTED_FACTS)[number]
type Derived = (typeof DERIVED_FACTS)[number]

/** What was detected. */
export type DetectedFacts = {
  readonly [D in Detected as D['name']]: Fact<D extends FactDefinition<string, infer T> ? T : never>
}

/** What was detected, and what follows from it. */
export type NodeFacts = DetectedFacts & { readonly [D in Derived as D['name']]: ReturnType<D['derive']> }
export type FactName = keyof NodeFacts

export interface Observation {
  readonly facts: NodeFacts
  /** Seconds from the first question of each detector to its last answer; they overlap. */
  readonly durations: Readonly<Record<DetectorName, number>>
}

/**
 * One look at the node. Nothing that the node does makes it fail: what cannot be read is an unknown fact with its reason.
 * `clock` gives milliseconds.
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

/** Adds what follows from the facts that were looked at. */
export const withDerived = (detected: DetectedFacts): NodeFacts =>
  Object.freeze({ ...detected, [shiftfsFact.name]: shiftfsFact.derive(detected) })

/** One fact: known, or unknown with the reason. Throws nothing that the node can cause. */
export async function observeFact(name: DetectorName, sources: Sources): Promise<Fact<unknown>> {
  const { detect, given } = BY_NAME[name]
  const observed = witness(sources.host)
  const evidence = () => observed.testimony().filter(tells).map(evidenceOf)
  try {
    const value = await detect({ ...sources, host: observed.host })
    return { known: true, value, evidence: [...evidence(), ...(given?.(sources, value) ?? [])] }
  } catch (error) {
    if (!(error instanceof HostError || error instanceof Unsure)) throw error
    return { known: false, why: error.message, evidence: evidence() }
  }
}

const BY_NAME = Object.fromEntries(DETECTED_FACTS.map(fact => [fact.name, fact])) as unknown as Readonly<
  Record<DetectorName, FactDefinition<DetectorName, unknown>>
>

/** That /proc and /sys are mounted is worth a word only where they are not. */
const tells = ({ verb, subject, answer }: Testimony): boolean =>
  verb !== 'stat' || answer === undefined || !(Object.values(MOUNT_SIGNS) as readonly string[]).includes(subject)
