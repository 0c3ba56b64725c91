import type { Snapshot } from '../cycle/snapshot.ts'
import { ALL_FACTS } from '../facts/all.ts'
import type { FactLabel } from '../facts/define-fact.ts'
import type { Fact } from '../facts/fact.ts'
import type { FactName, NodeFacts } from '../facts/observe.ts'
import type { Answer } from '../verdicts/verdict.ts'

export type Labels = Readonly<Record<string, string>>

/** The labels of facts, and the fact that each of them shows. */
export const FACT_LABELS: readonly FactLabelOf[] = ALL_FACTS.flatMap(({ name, label }) =>
  label === undefined ? [] : [{ fact: name, ...(label as FactLabel<unknown>) }]
)

interface FactLabelOf extends FactLabel<unknown> {
  readonly fact: FactName
}

/** The value of a label for each answer. */
export const VALUES: Readonly<Record<Answer, string>> = { yes: 'true', no: 'false', unknown: 'unknown' }

/** All labels that the node should carry, by full key. */
export function labels({ facts, verdicts }: Pick<Snapshot, 'facts' | 'verdicts'>, prefix: string): Labels {
  const fromVerdicts = Object.entries(verdicts).map(([capability, { answer }]) => [capability, VALUES[answer as Answer]] as const)
  const all = [...fromVerdicts, ...Object.entries(factValues(facts))]
  return Object.fromEntries(all.map(([name, value]) => [`${prefix}/${name}`, value]))
}

/** The labels of facts, by their names without the prefix. */
export const factValues = (facts: NodeFacts): Readonly<Record<string, string>> =>
  Object.fromEntries(
    FACT_LABELS.flatMap(({ name, fact, of, whenUnknown }) => {
      const { [fact]: found } = facts as Readonly<Record<FactName, Fact<unknown>>>
      const value = found.known ? of(found.value) : whenUnknown
      return value === undefined ? [] : [[name, value]]
    })
  )

export type LabelPatch = Readonly<Record<string, string | null>>

/**
 * The patch that gives a node these labels: only the differences, and `null` for a key with our prefix that is not wanted (any more). Only
 * keys that begin with the whole prefix and a slash are ours.
 */
export function labelPatch(wanted: Labels, carried: Labels, prefix: string): LabelPatch {
  const changed = Object.entries(wanted).filter(([key, value]) => carried[key] !== value)
  const retired = Object.keys(carried).filter(key => key.startsWith(`${prefix}/`) && !Object.hasOwn(wanted, key))
  return Object.fromEntries([...changed, ...retired.map(key => [key, null] as const)])
}
