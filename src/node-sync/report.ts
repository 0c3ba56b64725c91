import type { Snapshot } from '../cycle/snapshot.ts'
import type { Fact } from '../facts/fact.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { factValues, labels } from './labels.ts'

/** The largest annotation (bytes). It is small because Node objects are held in many caches. */
const LIMIT = 4096

/** The compact report in the annotation of a Node, which `fleet` reads. If it is too long, its sentences are shortened. */
export function reportAnnotation(snapshot: Snapshot, version: string): string {
  const ways = [...new Set(verdictsOf(snapshot).flatMap(([, { wayOut }]) => wayOut))]
  for (const width of [240, 120, 60, 30]) {
    const text = JSON.stringify({
      version,
      boot: bootId(snapshot),
      facts: provedFacts(snapshot),
      verdicts: shortVerdicts(snapshot, { width, ways }),
      ...(ways.length > 0 ? { ways: ways.map(way => shorten(way, width)) } : {}),
      ...shortOutcomes(snapshot, width)
    })
    if (Buffer.byteLength(text) <= LIMIT) return text
  }
  return JSON.stringify({ version, boot: bootId(snapshot), verdicts: {} })
}

const bootId = ({ facts }: Snapshot): string => (facts['boot-id'].known ? facts['boot-id'].value : '')

/** A restarted agent reads here what it had proved, because anybody may have written a label. */
const provedFacts = ({ facts }: Snapshot) =>
  Object.fromEntries(Object.entries(factValues(facts)).filter(([, value]) => value !== 'unknown'))

/** The remedies that a helper tried; absent if there are none. */
const shortOutcomes = ({ outcomes }: Snapshot, width: number) => {
  const tried = outcomes.filter(({ at }) => at !== '')
  const entries = tried.map(({ remedy, result, because }) => [remedy, { result, because: shorten(because, width) }] as const)
  return entries.length === 0 ? {} : { remedies: Object.fromEntries(entries) }
}

const verdictsOf = ({ verdicts }: Snapshot) => Object.entries(verdicts as Readonly<Record<string, Verdict>>)

/** A way out often serves several capabilities, so it is written once, and verdicts contain its index in the list. */
const shortVerdicts = (snapshot: Snapshot, { width, ways }: { readonly width: number; readonly ways: readonly string[] }) =>
  Object.fromEntries(
    verdictsOf(snapshot).map(([name, { answer, because, cautions, wayOut }]) => [
      name,
      {
        answer,
        because: shorten(because, width),
        ...(cautions.length > 0 ? { cautions: cautions.map(caution => shorten(caution, width)) } : {}),
        ...(wayOut.length > 0 ? { ways: wayOut.map(way => ways.indexOf(way)) } : {})
      }
    ])
  )

const shorten = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text)

/** The whole report, facts and labels by name; `outcomes` only if a helper left some. */
export function reportJson(snapshot: Snapshot, prefix: string): unknown {
  const { at, facts, verdicts, plan, outcomes } = snapshot
  return {
    schema: 1,
    at,
    node: facts.node.known ? facts.node.value.name : null,
    labels: labels(snapshot, prefix),
    facts: Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, plain(fact as Fact<unknown>)])),
    verdicts,
    plan,
    ...(outcomes.length > 0 ? { outcomes } : {})
  }
}

/** Maps become objects, since JSON has none. */
const plain = (fact: Fact<unknown>): unknown =>
  JSON.parse(JSON.stringify(fact, (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value)))
