import { AHEAD, HEARTBEATS } from '../../node-sync/condition.ts'
import { ownKeys } from '../../node-sync/removal.ts'
import { span } from '../../web/page-parts.ts'
import { IN_THE_POD, LOG, no, type Opinion, ok, unknown } from './opinion.ts'
import { isBound, isHere, type Seen, withoutNode } from './seen.ts'

export function judgeNode({ identity, node, terms }: Seen): Opinion {
  if (node.ok) return ok(`the Node ${terms.nodeName} is there`)
  return identity.ok ? no(node.why, 'kubectl get nodes tells the names; give one by --node-name or NODE_NAME') : unknown(node.why)
}

export function judgeMachine(seen: Seen): Opinion {
  const { node, boot, terms } = seen
  if (!node.ok) return unknown(withoutNode(seen))
  if (!boot.ok) return unknown(boot.why, "let --host-root be the directory where the node's root is mounted")
  if (isHere(seen) === undefined)
    return unknown(`the Node ${terms.nodeName} tells no boot id: kubelet has not written its status`)
  if (isHere(seen)) return ok('this machine and the Node have the same boot id')
  const differ = `this machine is not that Node: its boot id is ${boot.value}, the Node's is ${node.value.bootId}`
  if (!isBound(seen)) return unknown(differ, `what runs here is not its agent; ${IN_THE_POD}`)
  return no(differ, 'set NODE_NAME from the field spec.nodeName; right after a boot, wait until kubelet has written the new one')
}

export function judgeAgent(seen: Seen): Opinion {
  const { agent, terms } = seen
  const at = `http://${terms.agentAddress}`
  if (!agent.ok) {
    if (isHere(seen) === false && !isBound(seen)) {
      return unknown(
        `no agent at ${at}, and this machine is not that Node: ${agent.why}`,
        'kubectl -n berth port-forward POD 9642, then berth doctor --listen 127.0.0.1:9642'
      )
    }
    return no(`no agent at ${at}: ${agent.why}`, `kubectl -n berth get pods -o wide; ${LOG}; or give its address by --listen`)
  }
  const { metrics, health, ready, node } = agent.value
  const [, version] = /^berth_build_info\{(?:.*,)?version="([^"]*)"/m.exec(metrics.text) ?? []
  if (version === undefined) return no(`what answers at ${at}/metrics is not berth`, 'give the address of the agent by --listen')
  if (node !== terms.nodeName)
    return no(`the agent at ${at} is that of the Node "${node}"`, 'give the address of the right one by --listen')
  if (health.status !== 200) return no(`${at}/healthz answers ${health.status}: ${health.text.trim()}`, LOG)
  if (ready.status !== 200) return no(`${at}/readyz answers ${ready.status}: ${ready.text.trim()}`, LOG)
  return ok(
    `berth ${version} at ${at}, healthy and ready`,
    version === terms.version ? [] : [`this is berth ${terms.version}, another version`]
  )
}

/** The admission policy's own. */
const MOST_LABELS = 30

export function judgeLabels(seen: Seen): Opinion {
  const { node, terms } = seen
  if (!node.ok) return unknown(withoutNode(seen))
  const count = ownKeys(node.value.labels, terms.prefix).length
  if (count === 0) return no(`no label below ${terms.prefix}/: the agent has not been here`, LOG)
  if (count > MOST_LABELS) {
    return no(`${count} labels below ${terms.prefix}/, more than ${MOST_LABELS}`, 'find who else writes there')
  }
  const lacksReport = !Object.hasOwn(node.value.annotations, `${terms.prefix}/report`)
  return ok(
    `${count} labels below ${terms.prefix}/, of at most ${MOST_LABELS}`,
    lacksReport ? [`the annotation ${terms.prefix}/report is not there`] : []
  )
}

export function judgeHeartbeat(seen: Seen): Opinion {
  const { node, terms, now } = seen
  if (!node.ok) return unknown(withoutNode(seen))
  const { condition } = node.value
  if (condition === undefined) return no('no condition WorkspaceNodeReady: the agent has not been here', LOG)
  const { status, reason, lastHeartbeatTime } = condition
  const age = now.getTime() - Date.parse(lastHeartbeatTime)
  if (age < -AHEAD) {
    return no(
      `the heartbeat of WorkspaceNodeReady is in the future: ${lastHeartbeatTime}`,
      `compare the clocks of this machine and the node; where both are right, somebody else wrote it: ${LOG}`
    )
  }
  const old = `${span(lastHeartbeatTime, now.toISOString()) || '0 s'} old`
  if (age <= HEARTBEATS * terms.heartbeat) return ok(`${status} (${reason}), heartbeat ${old}`)
  return no(
    `the heartbeat of WorkspaceNodeReady is ${old}, and one is due every ${terms.heartbeat / 1000} s`,
    `the agent has stopped or cannot write: ${LOG}`
  )
}

export function judgeTaint(seen: Seen): Opinion {
  const { node, terms } = seen
  if (!node.ok) return unknown(withoutNode(seen))
  const { startupTaint, nodeName } = terms
  if (!node.value.taints.some(({ key }) => key === startupTaint)) return ok('no startup taint holds pods off the Node')
  const by = `kubectl taint node ${nodeName} ${startupTaint}-`
  if (ownKeys(node.value.labels, terms.prefix).length === 0) {
    return no(`the startup taint ${startupTaint} stands, and no label: the agent has not been here`, `${LOG}; by hand: ${by}`)
  }
  return no(
    `the startup taint ${startupTaint} stands although labels are there: the agent should have removed it`,
    `give the agent the same --startup-taint, as in manifests/base/admission-policy.yaml; ${LOG}; by hand: ${by}`
  )
}
