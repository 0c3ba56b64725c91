import type { Fact } from '../facts/fact.ts'
import type { FactName, NodeFacts } from '../facts/observe.ts'

export const ANSWERS = ['yes', 'no', 'unknown'] as const
export type Answer = (typeof ANSWERS)[number]

/** An answer with its reason, its parts and the facts that it depends on. */
export interface Verdict {
  /** Short name of the question: a capability, or one thing that it needs. */
  readonly name: string
  readonly answer: Answer
  /** One sentence with the measured value. */
  readonly because: string
  /** Every reason for the answer; `because` has the first. */
  readonly reasons: readonly string[]
  /** Risks and limits of a yes; they never change the answer. */
  readonly cautions: readonly string[]
  /** What an operator can do about a no or an unknown. */
  readonly wayOut: readonly string[]
  /** Every condition that was judged, not only the first that failed. */
  readonly parts: readonly Verdict[]
  /** The facts that a verdict without parts depends on; their evidence says where they were read. */
  readonly facts: readonly FactName[]
}

/** The result of a rule for one known value. */
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

/** `ask` judges one fact; an unknown fact gives an unknown verdict with its reason. */
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
    found.known ? judge(found.value) : unsure(found.why, 'Give the agent access: the reason says what it could not read.')
  )
}

/** `leaf` makes a verdict without parts from a judgement, for rules that need several facts. */
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
 * `allOf`: any no gives no, else any unknown gives unknown, else yes.
 * The reason for a yes joins the sentences of the parts named in `summarizedBy`, which say the most about the node.
 */
export function allOf(name: string, parts: readonly Verdict[], summarizedBy: readonly string[] = []): Verdict {
  const answer = first(['no', 'unknown', 'yes'], parts)
  return combined(
    name,
    answer,
    parts,
    answer === 'yes' ? [summary(parts, summarizedBy)] : unique(deciding(parts, answer).flatMap(part => part.reasons))
  )
}

const summary = (parts: readonly Verdict[], summarizedBy: readonly string[]): string => {
  const sentences = parts.filter(part => summarizedBy.includes(part.name)).map(part => part.because)
  return sentences.length === 0 ? `all ${parts.length} conditions are met` : sentences.join('; ')
}

/** `anyOf`: any yes gives yes, else any unknown gives unknown, else no. */
export function anyOf(name: string, parts: readonly Verdict[]): Verdict {
  const answer = first(['yes', 'unknown', 'no'], parts)
  const reasons = deciding(parts, answer).map(part => part.because)
  // Each alternative failed for its own reason, so all reasons together are one.
  return combined(name, answer, parts, [answer === 'yes' ? (reasons[0] as string) : reasons.join('; ')])
}

const first = (order: readonly [Answer, Answer, Answer], parts: readonly Verdict[]): Answer =>
  order.find(answer => parts.some(part => part.answer === answer)) ?? order[2]

const deciding = (parts: readonly Verdict[], answer: Answer): readonly Verdict[] => parts.filter(part => part.answer === answer)

const combined = (name: string, answer: Answer, parts: readonly Verdict[], reasons: readonly string[]): Verdict => ({
  name,
  answer,
  because: reasons.length > 1 ? `${reasons[0]} (and ${reasons.length - 1} more)` : (reasons[0] ?? 'no condition was judged'),
  reasons,
  cautions: unique(parts.flatMap(part => part.cautions)),
  wayOut: answer === 'yes' ? [] : unique(parts.filter(part => part.answer !== 'yes').flatMap(part => part.wayOut)),
  parts,
  facts: []
})

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]
