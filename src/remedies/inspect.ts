import type { HostWriter } from '../host/writer.ts'
import { ALL_REMEDIES, type PlanTerms, type RemedyTerms } from './all.ts'

/** What only the helper can see and the plans rest on. Changes nothing. */
export async function inspect(host: HostWriter, terms: RemedyTerms): Promise<Partial<PlanTerms>> {
  let found: Partial<PlanTerms> = {}
  for (const { load } of ALL_REMEDIES) {
    const { inspect: inspectOne } = await load()
    found = { ...found, ...(await inspectOne?.(host, terms)) }
  }
  return found
}
