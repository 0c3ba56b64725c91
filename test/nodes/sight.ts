import { parseConfig } from '../../src/cli/config.ts'
import type { Fact } from '../../src/facts/fact.ts'
import { parseNode } from '../../src/facts/node-object.ts'
import { type FactName, type NodeFacts, observe } from '../../src/facts/observe.ts'
import type { HostReader } from '../../src/host/host.ts'
import { decide, type Verdicts } from '../../src/verdicts/decide.ts'
import type { Answer } from '../../src/verdicts/verdict.ts'
import type { Machine } from './played.ts'

/** What is seen of a machine, and what the default rules make of it. */
export interface Sight {
  readonly facts: NodeFacts
  readonly verdicts: Verdicts
}

const { policy } = parseConfig(['report'], {}, {})

export async function see(host: HostReader, { node }: Machine): Promise<Sight> {
  const { facts } = await observe({ host, node: node && parseNode(node), podSecurity: undefined }, () => 0)
  return { facts, verdicts: decide(facts, policy) }
}

export const answersOf = ({ verdicts }: Pick<Sight, 'verdicts'>): Readonly<Record<string, Answer>> =>
  Object.fromEntries(Object.entries(verdicts).map(([capability, { answer }]) => [capability, answer]))

/** A fact's value, or why it is unknown, without its evidence; maps and sets as lists. */
export const plainFact = (fact: Fact<unknown>): string =>
  JSON.stringify(fact.known ? { value: fact.value } : { why: fact.why }, (_, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...value] : value
  )

/** The facts that one sees otherwise than another, or not at all. */
export const unlike = (one: Sight, other: Sight): readonly FactName[] =>
  (Object.keys(one.facts) as FactName[]).filter(name => plainFact(one.facts[name]) !== plainFact(other.facts[name]))
