import type { Fact } from '../../facts/fact.ts'
import type { NodeFacts } from '../../facts/observe.ts'
import type { CommonPlanTerms, Decision } from '../define-remedy.ts'

/** Modules that workspaces need and cannot load themselves. Each has a fact: whether it is loaded or built in. */
const NEEDED = {
  fuse: ({ fuse }: NodeFacts): Fact<boolean> => (fuse.known ? { ...fuse, value: fuse.value.registered } : fuse),
  nf_conntrack: ({ conntrack }: NodeFacts): Fact<boolean> => conntrack
} as const

export type NeededModule = keyof typeof NEEDED

/** The modules that are neither loaded nor built in now. */
export const missingModules = (facts: NodeFacts): readonly NeededModule[] =>
  (Object.keys(NEEDED) as NeededModule[]).filter(name => {
    const isPresent = NEEDED[name](facts)
    return isPresent.known && !isPresent.value
  })

/** Decides whether modules are to be loaded. */
export function planModules(facts: NodeFacts, { permits }: CommonPlanTerms): Decision {
  const missing = missingModules(facts)
  if (missing.length === 0) return { decision: 'not-needed', because: 'fuse and nf_conntrack are loaded or built in' }
  const { 'kernel-modules': found } = facts
  if (!found.known) return { decision: 'blocked', because: found.why }
  const loadable = missing.filter(name => found.value.modules[name].state === 'loadable')
  const obstacles = missing.filter(name => !loadable.includes(name)).map(name => `${name}: ${found.value.modules[name].because}`)
  if (loadable.length === 0) return { decision: 'blocked', because: obstacles.join('; ') }
  const act = [`load ${loadable.join(' and ')}`, ...obstacles].join('; ')
  if (!permits.includes('modules')) return { decision: 'forbidden', because: `would ${act}; permit it with --permit modules` }
  return { decision: 'apply', because: act }
}
