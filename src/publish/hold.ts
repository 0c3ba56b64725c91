import type { Snapshot } from '../cycle/snapshot.ts'
import type { FactName, NodeFacts } from '../facts/observe.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { type factLabels, type Labels, labels } from './labels.ts'

/** The fact that each label of a fact tells. */
const FACT_OF: Readonly<Record<keyof typeof factLabels, FactName>> = {
  kernel: 'kernel',
  distro: 'distro',
  shiftfs: 'shiftfs',
  'gpu-hardware': 'gpus',
  'gpu-driver': 'nvidia-driver',
  machine: 'machine'
}

/**
 * The labels of a snapshot, where what the Node carries already stands in for what could not be read: an agent that was restarted
 * finds there what it had proved under this boot. Only an unreadable fact is stood in for, never a changed one. Pure.
 */
export function heldLabels(snapshot: Snapshot, carried: Labels, prefix: string): Labels {
  const wanted = labels(snapshot, prefix)
  const held = Object.entries(carried).filter(
    ([key, value]) => value !== 'unknown' && (wanted[key] ?? 'unknown') === 'unknown' && isUnread(key, snapshot, prefix)
  )
  return { ...wanted, ...Object.fromEntries(held) }
}

function isUnread(key: string, { facts, verdicts }: Snapshot, prefix: string): boolean {
  const name = key.startsWith(`${prefix}/`) ? key.slice(prefix.length + 1) : ''
  if (Object.hasOwn(FACT_OF, name)) return !facts[FACT_OF[name as keyof typeof factLabels]].known
  const verdict: Verdict | undefined = Object.hasOwn(verdicts, name) ? verdicts[name as keyof typeof verdicts] : undefined
  return verdict !== undefined && verdict.answer === 'unknown' && restsOnUnread(verdict, facts)
}

/** Every part that is unknown is so for a fact that could not be read; one that was read and does not tell is another matter. */
const restsOnUnread = ({ answer, parts, facts: names }: Verdict, facts: NodeFacts): boolean =>
  answer !== 'unknown' ||
  (parts.length > 0 ? parts.every(part => restsOnUnread(part, facts)) : names.some(name => !facts[name].known))

/** What a Node may carry until this boot was looked at: what was proved under another is not proved. Pure. */
export const demoted = (carried: Labels, prefix: string): Labels =>
  Object.fromEntries(
    Object.entries(carried)
      .filter(([key]) => key.startsWith(`${prefix}/`))
      .map(([key, value]) => [key, value === 'true' ? 'unknown' : value])
  )
