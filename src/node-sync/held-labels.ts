import * as z from 'zod/mini'
import type { Snapshot } from '../cycle/snapshot.ts'
import { labelValue } from '../facts/label-value.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { checkJson } from '../host/schema.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { FACT_LABELS, type Labels, labels, VALUES } from './labels.ts'

/** What the report on a Node says was proved, and under which boot. */
export interface Proven {
  /** Empty if there is no readable report. */
  readonly boot: string
  /** By names without the prefix. */
  readonly labels: Labels
}

const NOTHING_PROVEN: Proven = { boot: '', labels: {} }

/** Everybody who may write to the Node may have written the report: invalid parts are ignored. */
const REPORT = z.object({
  boot: z.string(),
  verdicts: z.catch(z.record(z.string(), z.catch(z.object({ answer: z.unknown() }), { answer: '' })), {}),
  facts: z.catch(z.record(z.string(), z.unknown()), {})
})

/** Parses the report annotation of an earlier agent. An invalid one proves nothing. */
export function provenBy(report = ''): Proven {
  const form = checkJson(REPORT, report, 'the report')
  if (!form.ok) return NOTHING_PROVEN
  const { boot, verdicts, facts } = form.value
  const fromVerdicts = Object.entries(verdicts).map(
    ([name, { answer }]) => [name, answer === 'yes' || answer === 'no' ? VALUES[answer] : 'unknown'] as const
  )
  const fromFacts = Object.entries(facts).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '' && labelValue(entry[1]) === entry[1]
  )
  return { boot, labels: Object.fromEntries([...fromFacts, ...fromVerdicts]) }
}

/**
 * The labels of a snapshot, with values from the report in place of what cannot be read now. So a restarted agent does not forget what was
 * proved under this boot. Only unreadable facts are replaced, never changed ones.
 */
export function heldLabels(snapshot: Snapshot, proven: Labels, prefix: string): Labels {
  const wanted = labels(snapshot, prefix)
  const held = Object.entries(proven)
    .filter(
      ([name, value]) =>
        value !== 'unknown' && (wanted[`${prefix}/${name}`] ?? 'unknown') === 'unknown' && isUnread(name, snapshot)
    )
    .map(([name, value]) => [`${prefix}/${name}`, value] as const)
  return { ...wanted, ...Object.fromEntries(held) }
}

function isUnread(name: string, { facts, verdicts }: Snapshot): boolean {
  const label = FACT_LABELS.find(one => one.name === name)
  if (label !== undefined) return !facts[label.fact].known
  const verdict: Verdict | undefined = Object.hasOwn(verdicts, name) ? verdicts[name as keyof typeof verdicts] : undefined
  return verdict !== undefined && verdict.answer === 'unknown' && dependsOnUnread(verdict, facts)
}

/** Whether every unknown part is unknown because a fact could not be read, and not because of a value that was read. */
const dependsOnUnread = ({ answer, parts, facts: names }: Verdict, facts: NodeFacts): boolean =>
  answer !== 'unknown' ||
  (parts.length > 0 ? parts.every(part => dependsOnUnread(part, facts)) : names.some(name => !facts[name].known))

/** The labels that a Node may carry until this boot is observed: what was proved under another boot becomes unknown. */
export const demoted = (carried: Labels, prefix: string): Labels =>
  Object.fromEntries(
    Object.entries(carried)
      .filter(([key]) => key.startsWith(`${prefix}/`))
      .map(([key, value]) => [key, value === 'true' ? 'unknown' : value])
  )
