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
  /** Sysctls that the helper wrote while the Bottlerocket API was away, which is there now. */
  readonly unstored?: readonly string[]
  /** Why a build of shiftfs could not begin, as far as the helper alone can see it: no source, no compiler, no space. */
  readonly cannotBuild?: string
  /** Why nothing may be done at all: it could not be written down, or somebody else might be at work. */
  readonly cannotAct?: string
}

/** What could be mended here, and what prevents it. Pure: nothing is done by planning. */
export const plan = (facts: NodeFacts, terms: PlanTerms): readonly PlanStep[] => [
  { remedy: 'user-namespaces', ...held(planUserNamespaces(facts, terms), terms) },
  { remedy: 'shiftfs', ...held(planShiftfs(facts, terms), terms) }
]

const held = (decided: Decision, { cannotAct = '' }: PlanTerms): Decision =>
  decided.decision === 'apply' && cannotAct !== '' ? { decision: 'blocked', because: cannotAct } : decided

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

function planUserNamespaces(facts: NodeFacts, terms: PlanTerms): Decision {
  const { 'user-namespaces': fact, distro } = facts
  if (!fact.known) return { decision: 'blocked', because: fact.why }
  const { compiled, max } = fact.value
  if (!compiled) return { decision: 'blocked', because: 'the kernel was built without user namespaces' }
  const act = actsOf(facts, max, terms).join(', and ')
  // Some are enough to start a workspace with, so nobody is asked for a permit then.
  const enough: Decision = { decision: 'not-needed', because: `user.max_user_namespaces is ${max}` }
  if (act === '') return enough
  if (!distro.known)
    return max > 0 ? enough : { decision: 'blocked', because: `would ${act}, but the distribution is not known: ${distro.why}` }
  const wanted: Permit = distro.value.id === 'bottlerocket' ? 'user-namespaces' : 'user-namespaces-anywhere'
  if (terms.permits.includes(wanted)) return { decision: 'apply', because: act }
  return max > 0 ? enough : { decision: 'forbidden', because: `would ${act}; permit it with --permit ${wanted}` }
}

/** In words. The further limits, and what the API keeps, are of Bottlerocket only. */
function actsOf(facts: NodeFacts, max: number, { maxUserNamespaces, unstored = [] }: PlanTerms): readonly string[] {
  const isBottlerocket = facts.distro.known && facts.distro.value.id === 'bottlerocket'
  const first = max < maxUserNamespaces ? [`user.max_user_namespaces from ${max} to ${maxUserNamespaces}`] : []
  const raises = [...first, ...(isBottlerocket ? furtherRaises(facts) : [])]
  const isUnstored = isBottlerocket && unstored.length > 0
  return [
    ...(raises.length > 0 ? [`raise ${raises.join(', ')}`] : []),
    ...(isUnstored ? [`store ${unstored.join(', ')} through the Bottlerocket API, which was away`] : [])
  ]
}

function planShiftfs(facts: NodeFacts, terms: PlanTerms): Decision {
  const { shiftfs, distro } = facts
  if (!shiftfs.known) return { decision: 'blocked', because: shiftfs.why }
  const { state, because } = shiftfs.value
  if (state === 'loaded') return { decision: 'not-needed', because: `shiftfs is loaded: ${because}` }
  if (state === 'broken') return { decision: 'blocked', because: `shiftfs does not work on this kernel: ${because}` }
  if (state === 'absent') return { decision: 'blocked', because: buildObstacles(facts).join('; ') }
  if (!distro.known) return { decision: 'blocked', because: `the distribution is not known: ${distro.why}` }
  const gates = shiftfsGates(distro.value.id, terms)
  const lacking = state === 'buildable' ? (terms.cannotBuild ?? '') : ''
  const act = state === 'loadable' ? 'load the module shiftfs' : 'build shiftfs with the kernel headers and load it'
  if (gates.length > 0) {
    const all = [`would ${act}`, ...gates, ...(lacking === '' ? [] : [lacking])]
    return { decision: 'forbidden', because: all.join('; ') }
  }
  return lacking === '' ? { decision: 'apply', because: act } : { decision: 'blocked', because: lacking }
}

/** All that the operator has to say first, so that nobody finds one gate behind the other. */
const shiftfsGates = (distribution: string, { permits, policy }: PlanTerms): readonly string[] => [
  ...(permits.includes('shiftfs') ? [] : ['permit it with --permit shiftfs']),
  ...(distribution === 'ubuntu' || policy.shiftfsOutsideUbuntu === 'allow' ? [] : [DANGER])
]

const DANGER =
  "outside Ubuntu's kernels shiftfs lets a user in a container crash the node; accept that with --shiftfs-outside-ubuntu allow"
