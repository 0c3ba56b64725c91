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

/** What workspaces on Bottlerocket need besides user namespaces; Coder's engineers raised them there, too. */
export const FURTHER_LIMITS = {
  'user.max_mnt_namespaces': 20_000,
  'user.max_pid_namespaces': 20_000,
  'fs.inotify.max_user_watches': 1_048_576,
  'fs.inotify.max_user_instances': 8_192
} as const

/** `raise fs.inotify.max_user_watches from 65536 to 1048576`, for each that is known to be lower. */
function furtherRaises({ 'namespace-limits': namespaces, inotify }: NodeFacts): readonly string[] {
  const live: Readonly<Record<keyof typeof FURTHER_LIMITS, number | undefined>> = {
    'user.max_mnt_namespaces': namespaces.known ? namespaces.value.mnt : undefined,
    'user.max_pid_namespaces': namespaces.known ? namespaces.value.pid : undefined,
    'fs.inotify.max_user_watches': inotify.known ? inotify.value.watches : undefined,
    'fs.inotify.max_user_instances': inotify.known ? inotify.value.instances : undefined
  }
  return (Object.keys(live) as (keyof typeof live)[]).flatMap(name => {
    const [now, wanted] = [live[name], FURTHER_LIMITS[name]]
    return now === undefined || now >= wanted ? [] : [`${name} from ${now} to ${wanted}`]
  })
}

function planUserNamespaces(facts: NodeFacts, { permits, maxUserNamespaces }: PlanTerms): Decision {
  const { 'user-namespaces': fact, distro } = facts
  if (!fact.known) return { decision: 'blocked', because: fact.why }
  const { compiled, max } = fact.value
  if (!compiled) return { decision: 'blocked', because: 'the kernel was built without user namespaces' }
  const isBottlerocket = distro.known && distro.value.id === 'bottlerocket'
  const further = isBottlerocket ? furtherRaises(facts) : []
  if (max > 0) {
    // By themselves they prevent no workspace, so they are no reason to ask for a permit.
    return further.length > 0 && permits.includes('user-namespaces')
      ? { decision: 'apply', because: `raise ${further.join(', ')}` }
      : { decision: 'not-needed', because: `user.max_user_namespaces is ${max}` }
  }
  const act = `raise ${[`user.max_user_namespaces from ${max} to ${maxUserNamespaces}`, ...further].join(', ')}`
  if (!distro.known) return { decision: 'blocked', because: `would ${act}, but the distribution is not known: ${distro.why}` }
  const wanted: Permit = isBottlerocket ? 'user-namespaces' : 'user-namespaces-anywhere'
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
