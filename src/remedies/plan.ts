import type { NodeFacts } from '../facts/observe.ts'
import { buildObstacles } from '../facts/shiftfs.ts'
import type { Policy } from '../verdicts/policy.ts'

export const REMEDIES = ['user-namespaces', 'shiftfs'] as const
export type RemedyName = (typeof REMEDIES)[number]

/** What the operator lets the helper do. `user-namespaces-anywhere` lifts the limit to Bottlerocket. */
export const PERMITS = ['user-namespaces', 'user-namespaces-anywhere', 'shiftfs'] as const
export type Permit = (typeof PERMITS)[number]

export interface PlanStep {
  readonly remedy: RemedyName
  /** `blocked`: a gate of the node is closed; `forbidden`: it could be done, and the operator does not permit it. */
  readonly decision: 'apply' | 'forbidden' | 'blocked' | 'not-needed'
  readonly because: string
}

export interface PlanTerms {
  readonly permits: readonly Permit[]
  readonly maxUserNamespaces: number
  readonly policy: Policy
}

/** What could be mended here, and what stands against it. Pure: nothing is done by planning. */
export const plan = (facts: NodeFacts, terms: PlanTerms): readonly PlanStep[] => [
  { remedy: 'user-namespaces', ...planUserNamespaces(facts, terms) },
  { remedy: 'shiftfs', ...planShiftfs(facts, terms) }
]

type Decision = Omit<PlanStep, 'remedy'>

function planUserNamespaces({ 'user-namespaces': fact, distro }: NodeFacts, { permits, maxUserNamespaces }: PlanTerms): Decision {
  if (!fact.known) return { decision: 'blocked', because: fact.why }
  const { compiled, max } = fact.value
  if (!compiled) return { decision: 'blocked', because: 'the kernel was built without user namespaces' }
  if (max > 0) return { decision: 'not-needed', because: `user.max_user_namespaces is ${max}` }
  const act = `raise user.max_user_namespaces from ${max} to ${maxUserNamespaces}`
  if (!distro.known) return { decision: 'blocked', because: `would ${act}, but the distribution is not known: ${distro.why}` }
  const wanted: Permit = distro.value.id === 'bottlerocket' ? 'user-namespaces' : 'user-namespaces-anywhere'
  return permits.includes(wanted)
    ? { decision: 'apply', because: act }
    : { decision: 'forbidden', because: `would ${act}; permit it with --permit ${wanted}` }
}

function planShiftfs(facts: NodeFacts, { permits, policy }: PlanTerms): Decision {
  const { shiftfs, distro } = facts
  if (!shiftfs.known) return { decision: 'blocked', because: shiftfs.why }
  const { state, because } = shiftfs.value
  if (state === 'loaded') return { decision: 'not-needed', because: `shiftfs is loaded: ${because}` }
  if (state === 'broken') return { decision: 'blocked', because: `shiftfs does not work on this kernel: ${because}` }
  if (state === 'absent') return { decision: 'blocked', because: buildObstacles(facts).join('; ') }
  if (!distro.known) return { decision: 'blocked', because: `the distribution is not known: ${distro.why}` }
  if (distro.value.id !== 'ubuntu' && policy.shiftfsOutsideUbuntu === 'deny') {
    return {
      decision: 'forbidden',
      because: "outside Ubuntu's kernels shiftfs lets a user in a container crash the node (--shiftfs-outside-ubuntu)"
    }
  }
  const act = state === 'loadable' ? 'load the module shiftfs' : 'build shiftfs with the kernel headers and load it'
  return permits.includes('shiftfs')
    ? { decision: 'apply', because: act }
    : { decision: 'forbidden', because: `would ${act}; permit it with --permit shiftfs` }
}
