import type { NodeFacts } from '../../facts/observe.ts'
import type { CommonPlanTerms, Decision } from '../define-remedy.ts'
import { FURTHER_LIMITS } from './further-limits.ts'

export interface UserNamespacesPlanTerms {
  /** The wanted value of `user.max_user_namespaces`. */
  readonly maxUserNamespaces: number
  /** Limits that the helper raised directly while the Bottlerocket API was unavailable, and that the API can store now. */
  readonly unstored?: readonly string[]
}

type Terms = CommonPlanTerms & UserNamespacesPlanTerms

/** `fs.inotify.max_user_watches from 65536 to 1048576`, for each limit that is known to be too low. */
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

/** Decides whether limits are to be raised. */
export function planUserNamespaces(facts: NodeFacts, terms: Terms): Decision {
  const { 'user-namespaces': fact, distro } = facts
  if (!fact.known) return { decision: 'blocked', because: fact.why }
  const { compiled, max } = fact.value
  if (!compiled) return { decision: 'blocked', because: 'the kernel was built without user namespaces' }
  const act = actsOf(facts, max, terms).join(', and ')
  // With any user namespaces a workspace starts, so no permit is asked for.
  const enough: Decision = { decision: 'not-needed', because: `user.max_user_namespaces is ${max}` }
  if (act === '') return enough
  if (!distro.known)
    return max > 0 ? enough : { decision: 'blocked', because: `would ${act}, but the distribution is not known: ${distro.why}` }
  const wanted = distro.value.id === 'bottlerocket' ? 'user-namespaces' : 'user-namespaces-anywhere'
  if (terms.permits.includes(wanted)) return { decision: 'apply', because: act }
  return max > 0 ? enough : { decision: 'forbidden', because: `would ${act}; permit it with --permit ${wanted}` }
}

/** What would be done, in words. Only Bottlerocket has further limits and an API that stores them. */
function actsOf(facts: NodeFacts, max: number, { maxUserNamespaces, unstored = [] }: Terms): readonly string[] {
  const isBottlerocket = facts.distro.known && facts.distro.value.id === 'bottlerocket'
  const first = max < maxUserNamespaces ? [`user.max_user_namespaces from ${max} to ${maxUserNamespaces}`] : []
  const raises = [...first, ...(isBottlerocket ? furtherRaises(facts) : [])]
  const isUnstored = isBottlerocket && unstored.length > 0
  return [
    ...(raises.length > 0 ? [`raise ${raises.join(', ')}`] : []),
    ...(isUnstored ? [`store ${unstored.join(', ')} through the Bottlerocket API, which was unavailable`] : [])
  ]
}
