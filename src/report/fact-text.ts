import { ALL_FACTS } from '../facts/all.ts'
import type { Known } from '../facts/fact.ts'
import type { FactName, NodeFacts } from '../facts/observe.ts'

const FORMATS: ReadonlyMap<string, (value: never) => string> = new Map(ALL_FACTS.map(({ name, format }) => [name, format]))

/** A known fact in one line for people. */
export const factText = (name: FactName, facts: NodeFacts): string =>
  (FORMATS.get(name) as (value: unknown) => string)((facts[name] as Known<unknown>).value)
