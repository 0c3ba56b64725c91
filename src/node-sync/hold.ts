import * as z from 'zod/mini'
import type { Snapshot } from '../cycle/snapshot.ts'
import { labelValue } from '../facts/label-value.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { checkJson } from '../host/schema.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { FACT_LABELS, type Labels, labels, VALUES } from './labels.ts'

/** What the report on a Node says was proved, and under which boot. */
export interface Proven {
  /** Empty where there is no report that can be read. */
  readonly boot: string
  /** By names without the prefix. */
  readonly labels: Labels
}

const NOTHING_PROVEN: Proven = { boot: '', labels: {} }

/** Whoever may write to the Node may have written the report: what has not its form counts as not said. */
const REPORT = z.object({
  boot: z.string(),
  verdicts: z.catch(z.record(z.string(), z.catch(z.object({ answer: z.unknown() }), { answer: '' })), {}),
  facts: z.catch(z.record(z.string(), z.unknown()), {})
})

/** Reads the report annotation of an earlier agent. Whatever else stands there proves nothing. */
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
 * The labels of a snapshot, where what was proved under this boot stands in for what cannot be read: an agent that was restarted finds
 * that in the report. Only an unreadable fact is stood in for, never a changed one.
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
  return verdict !== undefined && verdict.answer === 'unknown' && restsOnUnread(verdict, facts)
}

/** Every part that is unknown is so for a fact that could not be read; one that was read and does not tell is another matter. */
const restsOnUnread = ({ answer, parts, facts: names }: Verdict, facts: NodeFacts): boolean =>
  answer !== 'unknown' ||
  (parts.length > 0 ? parts.every(part => restsOnUnread(part, facts)) : names.some(name => !facts[name].known))

/** What a Node may carry until this boot was looked at: what was proved under another is not proved. */
export const demoted = (carried: Labels, prefix: string): Labels =>
  Object.fromEntries(
    Object.entries(carried)
      .filter(([key]) => key.startsWith(`${prefix}/`))
      .map(([key, value]) => [key, value === 'true' ? 'unknown' : value])
  )
