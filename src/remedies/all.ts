import { modulesRemedy } from './modules/remedy.ts'
import { shiftfsRemedy } from './shiftfs/remedy.ts'
import { userNamespacesRemedy } from './user-namespaces/remedy.ts'

/** Every remedy, in the order in which they are applied. They are undone in the reverse order. */
export const ALL_REMEDIES = [userNamespacesRemedy, modulesRemedy, shiftfsRemedy] as const

export type RemedyName = (typeof ALL_REMEDIES)[number]['name']
export const REMEDIES: readonly RemedyName[] = ALL_REMEDIES.map(({ name }) => name)

type PermitOf<Definition> = Definition extends { readonly permits: infer Permits } ? keyof Permits : never

/** What the operator may let the helper do. */
export type Permit = PermitOf<(typeof ALL_REMEDIES)[number]>
export const PERMITS = ALL_REMEDIES.flatMap(({ permits }) => Object.keys(permits)) as readonly Permit[]
