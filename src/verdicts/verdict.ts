import type { Fact } from '../facts/fact.ts'
import type { FactName, NodeFacts } from '../facts/observe.ts'

export const ANSWERS = ['yes', 'no', 'unknown'] as const
export type Answer = (typeof ANSWERS)[number]

/** An answer with its reason, all the way down to the facts it rests on. */
export interface Verdict {
  /** What was asked, as a short name: a capability, or one thing that it needs. */
  readonly name: string
  readonly answer: Answer
  /** One sentence that holds the measured value. */
  readonly because: string
  /** Every sentence that decided, the first of which is told in `because`. */
  readonly reasons: readonly string[]
  /** True but fragile; they never change the answer. */
  readonly cautions: readonly string[]
  /** What somebody can do about a no or an unknown. */
  readonly wayOut: readonly string[]
  /** Everything that was asked, not only the first obstacle. */
  readonly parts: readonly Verdict[]
  /** The facts that a leaf rests on; their evidence says where they were read. */
  readonly facts: readonly FactName[]
}

/** What a rule says of one known value. */
export interface Judgement {
  readonly answer: Answer
  readonly because: string
  readonly caution?: string
  readonly wayOut?: string
}

export const yes = (because: string, caution?: string): Judgement =>
  caution === undefined ? { answer: 'yes', because } : { answer: 'yes', because, caution }
export const no = (because: string, wayOut?: string): Judgement =>
  wayOut === undefined ? { answer: 'no', because } : { answer: 'no', because, wayOut }
export const unsure = (because: string, wayOut?: string): Judgement =>
  wayOut === undefined ? { answer: 'unknown', because } : { answer: 'unknown', because, wayOut }

/** One part of a rule: an unknown fact stays unknown, a known one is judged. */
export function ask<Name extends FactName>(
  facts: NodeFacts,
  name: string,
  fact: Name,
  judge: (value: Extract<NodeFacts[Name], { known: true }>['value']) => Judgement
): Verdict {
  const found = facts[fact] as Fact<Extract<NodeFacts[Name], { known: true }>['value']>
  return leaf(
    name,
    [fact],
    found.known ? judge(found.value) : unsure(found.why, 'Let the agent read it: its reason says what was in the way.')
  )
}

/** A part that rests on several facts, already judged. */
export const leaf = (name: string, facts: readonly FactName[], judgement: Judgement): Verdict => ({
  name,
  answer: judgement.answer,
  because: judgement.because,
  reasons: [judgement.because],
  cautions: judgement.caution === undefined ? [] : [judgement.caution],
  wayOut: judgement.wayOut === undefined || judgement.answer === 'yes' ? [] : [judgement.wayOut],
  parts: [],
  facts
})

/**
 * Any no is a no, else any unknown is unknown, else yes.
 * A yes is told by the sentences of the parts that are named, which say the most about the node.
 */
export function allOf(name: string, parts: readonly Verdict[], telling: readonly string[] = []): Verdict {
  const answer = first(['no', 'unknown', 'yes'], parts)
  return combined(
    name,
    answer,
    parts,
    answer === 'yes' ? [summary(parts, telling)] : unique(deciding(parts, answer).flatMap(part => part.reasons))
  )
}

const summary = (parts: readonly Verdict[], telling: readonly string[]): string => {
  const sentences = parts.filter(part => telling.includes(part.name)).map(part => part.because)
  return sentences.length === 0 ? `all ${parts.length} conditions hold` : sentences.join('; ')
}

/** Any yes is a yes, else any unknown is unknown, else no. */
export function anyOf(name: string, parts: readonly Verdict[]): Verdict {
  const answer = first(['yes', 'unknown', 'no'], parts)
  const reasons = deciding(parts, answer).map(part => part.because)
  // None of them alone is the obstacle, so they make one reason.
  return combined(name, answer, parts, [answer === 'yes' ? (reasons[0] as string) : reasons.join('; ')])
}

const first = (order: readonly [Answer, Answer, Answer], parts: readonly Verdict[]): Answer =>
  order.find(answer => parts.some(part => part.answer === answer)) ?? order[2]

const deciding = (parts: readonly Verdict[], answer: Answer): readonly Verdict[] => parts.filter(part => part.answer === answer)

const combined = (name: string, answer: Answer, parts: readonly Verdict[], reasons: readonly string[]): Verdict => ({
  name,
  answer,
  because: reasons.length > 1 ? `${reasons[0]} (and ${reasons.length - 1} more)` : (reasons[0] ?? 'nothing was asked'),
  reasons,
  cautions: unique(parts.flatMap(part => part.cautions)),
  wayOut: answer === 'yes' ? [] : unique(parts.filter(part => part.answer !== 'yes').flatMap(part => part.wayOut)),
  parts,
  facts: []
})

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]
