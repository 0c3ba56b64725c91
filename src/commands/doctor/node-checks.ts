import { AHEAD, HEARTBEATS } from '../../node-sync/condition.ts'
import { ownKeys } from '../../node-sync/own-entries.ts'
import { span } from '../../web/page-parts.ts'
import { type Inspection, isBound, isHere, withoutNode } from './inspection.ts'
import { IN_THE_POD, LOG, no, type Opinion, ok, unknown } from './opinion.ts'

export function judgeNode({ identity, node, terms }: Inspection): Opinion {
  if (node.ok) return ok(`the Node ${terms.nodeName} exists`)
  return identity.ok ? no(node.why, 'list the names with kubectl get nodes, and set --node-name or NODE_NAME') : unknown(node.why)
}

export function judgeMachine(inspection: Inspection): Opinion {
  const { node, boot, terms } = inspection
  if (!node.ok) return unknown(withoutNode(inspection))
  if (!boot.ok) return unknown(boot.why, "set --host-root to the directory where the node's root is mounted")
  if (isHere(inspection) === undefined)
    return unknown(`the Node ${terms.nodeName} has no boot id: the kubelet has not written its status yet`)
  if (isHere(inspection)) return ok('this machine and the Node have the same boot id')
  const differ = `this machine is not that Node: its boot id is ${boot.value}, the Node's is ${node.value.bootId}`
  if (!isBound(inspection)) return unknown(differ, `this machine does not run its agent; ${IN_THE_POD}`)
  return no(
    differ,
    'set NODE_NAME from the field spec.nodeName; shortly after a boot, wait until the kubelet has written the new boot id'
  )
}

export function judgeAgent(inspection: Inspection): Opinion {
  const { agent, terms } = inspection
  const at = `http://${terms.agentAddress}`
  if (!agent.ok) {
    if (isHere(inspection) === false && !isBound(inspection)) {
      return unknown(
        `no agent at ${at}, and this machine is not that Node: ${agent.why}`,
        'kubectl -n berth port-forward POD 9642, then berth doctor --listen 127.0.0.1:9642'
      )
    }
    return no(`no agent at ${at}: ${agent.why}`, `kubectl -n berth get pods -o wide; ${LOG}; or set its address with --listen`)
  }
  const { metrics, health, ready, node } = agent.value
  const [, version] = /^berth_build_info\{(?:.*,)?version="([^"]*)"/m.exec(metrics.text) ?? []
  if (version === undefined) return no(`the server at ${at}/metrics is not berth`, 'set the address of the agent with --listen')
  if (node !== terms.nodeName)
    return no(`the agent at ${at} is that of the Node "${node}"`, 'set the address of the right one with --listen')
  if (health.status !== 200) return no(`${at}/healthz returns ${health.status}: ${health.text.trim()}`, LOG)
  if (ready.status !== 200) return no(`${at}/readyz returns ${ready.status}: ${ready.text.trim()}`, LOG)
  return ok(
    `berth ${version} at ${at}, healthy and ready`,
    version === terms.version ? [] : [`this doctor is berth ${terms.version}, another version`]
  )
}

/** The limit of the admission policy. */
const MOST_LABELS = 30

export function judgeLabels(inspection: Inspection): Opinion {
  const { node, terms } = inspection
  if (!node.ok) return unknown(withoutNode(inspection))
  const count = ownKeys(node.value.labels, terms.prefix).length
  if (count === 0) return no(`no label with the prefix ${terms.prefix}/: the agent has not labelled this Node yet`, LOG)
  if (count > MOST_LABELS) {
    return no(
      `${counted(count)} with the prefix ${terms.prefix}/, more than ${MOST_LABELS}`,
      'find out what else writes such labels'
    )
  }
  const hasReport = Object.hasOwn(node.value.annotations, `${terms.prefix}/report`)
  return ok(
    `${counted(count)} with the prefix ${terms.prefix}/, at most ${MOST_LABELS} are allowed`,
    hasReport ? [] : [`the annotation ${terms.prefix}/report is missing`]
  )
}

const counted = (labels: number): string => `${labels} ${labels === 1 ? 'label' : 'labels'}`

export function judgeHeartbeat(inspection: Inspection): Opinion {
  const { node, terms, now } = inspection
  if (!node.ok) return unknown(withoutNode(inspection))
  const { condition } = node.value
  if (condition === undefined) return no('no condition WorkspaceNodeReady: the agent has not written to this Node yet', LOG)
  const { status, reason, lastHeartbeatTime } = condition
  const age = now.getTime() - Date.parse(lastHeartbeatTime)
  if (age < -AHEAD) {
    return no(
      `the heartbeat of WorkspaceNodeReady is in the future: ${lastHeartbeatTime}`,
      `compare the clocks of this machine and the node; if both are right, something else wrote it: ${LOG}`
    )
  }
  const old = `${span(lastHeartbeatTime, now.toISOString()) || '0 s'} old`
  if (age <= HEARTBEATS * terms.heartbeat) return ok(`${status} (${reason}), heartbeat ${old}`)
  return no(
    `the heartbeat of WorkspaceNodeReady is ${old}, but one is due every ${terms.heartbeat / 1000} s`,
    `the agent has stopped or cannot write: ${LOG}`
  )
}

export function judgeTaint(inspection: Inspection): Opinion {
  const { node, terms } = inspection
  if (!node.ok) return unknown(withoutNode(inspection))
  const { startupTaint, nodeName } = terms
  if (!node.value.taints.some(({ key }) => key === startupTaint)) return ok('the Node has no startup taint')
  const removal = `kubectl taint node ${nodeName} ${startupTaint}-`
  if (ownKeys(node.value.labels, terms.prefix).length === 0) {
    return no(
      `the Node has the startup taint ${startupTaint} and no labels: the agent has not labelled it yet`,
      `${LOG}; to remove it by hand: ${removal}`
    )
  }
  return no(
    `the Node has the startup taint ${startupTaint} although it is labelled: the agent should have removed it`,
    `set --startup-taint of the agent to the key in manifests/base/admission-policy.yaml; ${LOG}; to remove it by hand: ${removal}`
  )
}
