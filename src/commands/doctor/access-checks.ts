import { type Inspection, isBound, withoutNode } from './inspection.ts'
import { IN_THE_POD, INSTALL, no, type Opinion, ok, unknown } from './opinion.ts'
import { EXCESSIVE, NEEDED, named, neededBy } from './permissions.ts'

export function judgeApi({ api, server }: Inspection): Opinion {
  if (!api.ok) return no(api.why, 'check the server in the kubeconfig (--kubeconfig, KUBECONFIG), and that the API server runs')
  return ok(`${api.value === '' ? 'a Kubernetes API' : `Kubernetes ${api.value}`} at ${server}`)
}

/** With a larger difference, a token may count as not valid yet, or a heartbeat as stale (milliseconds). */
const CLOCK_LIMIT = 5_000

export function judgeClock({ ahead }: Inspection): Opinion {
  if (!ahead.ok) return unknown(ahead.why)
  const [least, most] = ahead.value
  const certain = Math.max(least, -most, 0)
  const seconds = (certain / 1000).toFixed(1)
  if (certain <= CLOCK_LIMIT) {
    return ok(`differs from the API server's by ${certain === 0 ? 'less than a second' : `about ${seconds} s`}`)
  }
  const direction = least > 0 ? 'behind' : 'ahead of'
  return no(
    `this machine's clock is at least ${seconds} s ${direction} the API server's`,
    'synchronize the clocks by NTP (chronyc tracking, timedatectl): tokens and heartbeats depend on them'
  )
}

export function judgeIdentity({ api, identity, terms }: Inspection): Opinion {
  if (!identity.ok) return api.ok ? no(identity.why, 'renew the token or the certificate') : unknown(identity.why)
  const { user, node } = identity.value
  if (node === '') {
    const caution = `these credentials are bound to no Node, so the permissions of the agent's own token are not checked; ${IN_THE_POD}`
    return ok(user, [caution])
  }
  if (node === terms.nodeName) return ok(`${user} on the Node ${node}`)
  return no(
    `the token belongs to a pod on the Node "${node}", and --node-name is "${terms.nodeName}"`,
    'set NODE_NAME from the field spec.nodeName in the DaemonSet of the agent'
  )
}

export function judgePermissions(inspection: Inspection): Opinion {
  if (!inspection.allowed.ok) return unknown(inspection.allowed.why)
  const have = inspection.allowed.value.map(named)
  const needed = neededBy(inspection.terms).map(named)
  const missing = needed.filter(name => !have.includes(name))
  const excessive = EXCESSIVE.map(named).filter(name => have.includes(name))
  if (missing.length > 0) return no(`missing: ${missing.join(', ')}`, waysToGrant(missing).join('; '))
  const all = `all ${needed.length} needed permissions`
  if (excessive.length === 0) return ok(`${all}, and none of the ${EXCESSIVE.length} that the agent must not have`)
  const more = `more than the agent should have: ${excessive.join(', ')}`
  if (!isBound(inspection)) return ok(all, [more])
  return no(
    more,
    "find the role that grants it, and unbind it from the agent's account (kubectl get clusterrolebindings -o wide)"
  )
}

function waysToGrant(missing: readonly string[]): readonly string[] {
  const inBase = NEEDED.map(named)
  return [
    ...(missing.some(name => inBase.includes(name)) ? [`${INSTALL} (rbac.yaml)`] : []),
    ...(missing.some(name => !inBase.includes(name)) ? [GRANT_NAMESPACE] : [])
  ]
}

const GRANT_NAMESPACE =
  'for --workspace-namespace, add manifests/components/workspace-namespace, or set options.workspace-namespace of the chart'

export function judgeGuard(inspection: Inspection): Opinion {
  const { guard } = inspection
  if (guard.ok && guard.value.enforced) return ok(guard.value.says)
  const wayOut = `${INSTALL} (admission-policy.yaml, admission-policy-events.yaml); if berth runs in another namespace, the policies must name its account`
  if (guard.ok && isBound(inspection)) return no(guard.value.says, wayOut)
  const reported = guardMetric(inspection)
  if (reported === 1) return ok('the agent reports that the admission policies are enforced')
  if (reported === 0)
    return no('the agent reports that the admission policies are not enforced; its log says why (guard-missing)', wayOut)
  if (!guard.ok) return unknown(inspection.node.ok ? guard.why : withoutNode(inspection))
  return unknown("the policies restrict only the agent's own token, and these credentials are different", IN_THE_POD)
}

function guardMetric({ agent, terms }: Inspection): number | undefined {
  const [, value] =
    (agent.ok &&
      agent.value.node === terms.nodeName &&
      /^berth_admission_guard_enforced (\d)$/m.exec(agent.value.metrics.text)) ||
    []
  return value === undefined ? undefined : Number(value)
}

export function judgeWrites(inspection: Inspection): Opinion {
  const { identity, node, write, terms } = inspection
  if (write.ok) return ok('the API would accept a label and the condition of the agent')
  if (!identity.ok || !node.ok) return unknown(withoutNode(inspection))
  if (isBound(inspection) && identity.value.node !== terms.nodeName)
    return unknown('not checked, because the token is for another Node')
  return no(
    write.why,
    `if the role is right, make --label-prefix (${terms.prefix}) and the prefix in manifests/base/admission-policy.yaml the same`
  )
}
