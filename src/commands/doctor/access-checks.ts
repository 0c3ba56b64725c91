import { IN_THE_POD, INSTALL, no, type Opinion, ok, unknown } from './opinion.ts'
import { EXCESSIVE, NEEDED, named, neededBy } from './permissions.ts'
import { isBound, type Seen, withoutNode } from './seen.ts'

export function judgeApi({ api, server }: Seen): Opinion {
  if (!api.ok) return no(api.why, 'check the server in the kubeconfig (--kubeconfig, KUBECONFIG), and whether the API runs')
  return ok(`${api.value === '' ? 'a Kubernetes API' : `Kubernetes ${api.value}`} at ${server}`)
}

/** Beyond this a token counts as not valid yet, or a heartbeat as old (milliseconds). */
const CLOCK_LIMIT = 5_000

export function judgeClock({ ahead }: Seen): Opinion {
  if (!ahead.ok) return unknown(ahead.why)
  const [least, most] = ahead.value
  const surely = Math.max(least, -most, 0)
  const seconds = (surely / 1000).toFixed(1)
  if (surely <= CLOCK_LIMIT) {
    return ok(`differs from the API server's by ${surely === 0 ? 'less than a second' : `about ${seconds} s`}`)
  }
  const direction = least > 0 ? 'behind' : 'ahead of'
  return no(
    `this machine's clock is at least ${seconds} s ${direction} the API server's`,
    'set it by NTP (chronyc tracking, timedatectl): tokens and heartbeats depend on it'
  )
}

export function judgeIdentity({ api, identity, terms }: Seen): Opinion {
  if (!identity.ok) return api.ok ? no(identity.why, 'renew the token or the certificate') : unknown(identity.why)
  const { user, node } = identity.value
  if (node === '') {
    const caution = `these credentials name no Node, so what the agent's own may do is not proved; ${IN_THE_POD}`
    return ok(user, [caution])
  }
  if (node === terms.nodeName) return ok(`${user} on the Node ${node}`)
  return no(
    `the token belongs to a pod on the Node "${node}", and --node-name is "${terms.nodeName}"`,
    'set NODE_NAME from the field spec.nodeName in the DaemonSet of the agent'
  )
}

export function judgePermissions(seen: Seen): Opinion {
  if (!seen.allowed.ok) return unknown(seen.allowed.why)
  const have = seen.allowed.value.map(named)
  const needed = neededBy(seen.terms).map(named)
  const lacking = needed.filter(name => !have.includes(name))
  const excessive = EXCESSIVE.map(named).filter(name => have.includes(name))
  if (lacking.length > 0) return no(`lacking: ${lacking.join(', ')}`, waysToGrant(lacking).join('; '))
  const all = `all ${needed.length} that are needed`
  if (excessive.length === 0) return ok(`${all}, and none of ${EXCESSIVE.length} that must not be`)
  const more = `more than the agent should have: ${excessive.join(', ')}`
  if (!isBound(seen)) return ok(all, [more])
  return no(more, "find the role that gives it, and unbind it from the agent's account (kubectl get clusterrolebindings -o wide)")
}

function waysToGrant(lacking: readonly string[]): readonly string[] {
  const ofBase = NEEDED.map(named)
  return [
    ...(lacking.some(name => ofBase.includes(name)) ? [`${INSTALL} (rbac.yaml)`] : []),
    ...(lacking.some(name => !ofBase.includes(name)) ? [GRANT_NAMESPACE] : [])
  ]
}

const GRANT_NAMESPACE =
  'for --workspace-namespace, add manifests/components/workspace-namespace, or set options.workspace-namespace of the chart'

export function judgeGuard(seen: Seen): Opinion {
  const { guard } = seen
  if (guard.ok && guard.value.enforced) return ok(guard.value.says)
  const wayOut = `${INSTALL} (admission-policy.yaml, admission-policy-events.yaml); in another namespace, the policies must name the account`
  if (guard.ok && isBound(seen)) return no(guard.value.says, wayOut)
  const proved = guardMetric(seen)
  if (proved === 1) return ok('the agent reports that the policies refuse what they must')
  if (proved === 0)
    return no('the agent reports that the policies do not refuse what they must; its log says what (guard-missing)', wayOut)
  if (!guard.ok) return unknown(seen.node.ok ? guard.why : withoutNode(seen))
  return unknown("the policy holds only the agent's own token, which these credentials are not", IN_THE_POD)
}

function guardMetric({ agent, terms }: Seen): number | undefined {
  const [, value] =
    (agent.ok &&
      agent.value.node === terms.nodeName &&
      /^berth_admission_guard_enforced (\d)$/m.exec(agent.value.metrics.text)) ||
    []
  return value === undefined ? undefined : Number(value)
}

export function judgeWrites(seen: Seen): Opinion {
  const { identity, node, write, terms } = seen
  if (write.ok) return ok('a label and the condition of the agent would be taken')
  if (!identity.ok || !node.ok) return unknown(withoutNode(seen))
  if (isBound(seen) && identity.value.node !== terms.nodeName) return unknown('not tried, since the token is for another Node')
  return no(
    write.why,
    `if the role is right, make --label-prefix (${terms.prefix}) and the prefix in manifests/base/admission-policy.yaml the same`
  )
}
