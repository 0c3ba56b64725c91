import type { NodeFacts } from '../facts/observe.ts'
import type { HostWriter } from '../host/writer.ts'
import type { CommonTerms } from './define-remedy.ts'
import { modulesRemedy } from './modules/remedy.ts'
import { shiftfsRemedy } from './shiftfs/remedy.ts'
import { userNamespacesRemedy } from './user-namespaces/remedy.ts'

/** Every remedy, in the order in which they are applied. They are undone in the reverse order. */
export const ALL_REMEDIES = [userNamespacesRemedy, modulesRemedy, shiftfsRemedy] as const

type Remedy = (typeof ALL_REMEDIES)[number]

export type RemedyName = Remedy['name']
export const REMEDIES: readonly RemedyName[] = ALL_REMEDIES.map(({ name }) => name)

/** What the plans of all remedies rest on besides the facts. */
export type PlanTerms = Remedy['plan'] extends (facts: NodeFacts, terms: infer Terms) => unknown ? Terms : never

type Action = Awaited<ReturnType<Remedy['load']>>

/** What the actions of all remedies need besides the node and its facts. */
export type RemedyTerms = CommonTerms & (Action['undo'] extends (host: HostWriter, terms: infer Terms) => unknown ? Terms : never)

type PermitOf<Definition> = Definition extends { readonly permits: infer Permits } ? keyof Permits : never

/** What the operator can permit the helper to do. */
export type Permit = PermitOf<Remedy>
export const PERMITS = ALL_REMEDIES.flatMap(({ permits }) => Object.keys(permits)) as readonly Permit[]
