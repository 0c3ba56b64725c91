import type { NodeFacts } from '../../facts/observe.ts'
import { buildObstacles } from '../../facts/shiftfs.ts'
import type { CommonPlanTerms, Decision } from '../define-remedy.ts'

export interface ShiftfsPlanTerms {
  /** Why a build of shiftfs cannot begin, as far as only the helper can see it: no source, no compiler, no space. */
  readonly cannotBuild?: string
}

type Terms = CommonPlanTerms & ShiftfsPlanTerms

/** Decides whether shiftfs is to be loaded, or built first. */
export function planShiftfs(facts: NodeFacts, terms: Terms): Decision {
  const { shiftfs, distro } = facts
  if (!shiftfs.known) return { decision: 'blocked', because: shiftfs.why }
  const { state, because } = shiftfs.value
  if (state === 'loaded') return { decision: 'not-needed', because: `shiftfs is loaded: ${because}` }
  if (state === 'broken') return { decision: 'blocked', because: `shiftfs does not work on this kernel: ${because}` }
  if (state === 'absent') return { decision: 'blocked', because: buildObstacles(facts).join('; ') }
  if (!distro.known) return { decision: 'blocked', because: `the distribution is not known: ${distro.why}` }
  const gates = shiftfsGates(distro.value.id, terms)
  const missing = state === 'buildable' ? (terms.cannotBuild ?? '') : ''
  const act = state === 'loadable' ? 'load the module shiftfs' : 'build shiftfs with the kernel headers and load it'
  if (gates.length > 0) {
    const all = [`would ${act}`, ...gates, ...(missing === '' ? [] : [missing])]
    return { decision: 'forbidden', because: all.join('; ') }
  }
  return missing === '' ? { decision: 'apply', because: act } : { decision: 'blocked', because: missing }
}

/** Everything that the operator has to allow first, all at once. */
const shiftfsGates = (distribution: string, { permits, policy }: CommonPlanTerms): readonly string[] => [
  ...(permits.includes('shiftfs') ? [] : ['permit it with --permit shiftfs']),
  ...(distribution === 'ubuntu' || policy.shiftfsOutsideUbuntu === 'allow' ? [] : [DANGER])
]

const DANGER =
  "outside Ubuntu's kernels shiftfs lets a user in a container crash the node; accept that with --shiftfs-outside-ubuntu allow"
