import { AHEAD } from '../../node-sync/condition.ts'
import { span } from '../../web/page-parts.ts'
import { type FleetNode, isOutdated, type Now, type Standing, standingOf } from '../fleet-node.ts'

/** `stale: last heartbeat 2 d 3 h ago, cordoned`; empty for a fresh Node without notes. */
export const noteOf = (node: FleetNode, now: Now): string =>
  [standingText(node, now), ...node.notes].filter(text => text !== '').join(', ')

export function standingText(node: FleetNode, now: Now): string {
  const standing = standingOf(node, now)
  if (standing === 'stale') return `stale: ${heartbeatText(node, now)}`
  return { fresh: '', rebooted: 'rebooted, not observed since', absent: 'not labelled by an agent yet' }[standing]
}

function heartbeatText({ heartbeat }: FleetNode, { at }: Now): string {
  if (Number.isNaN(heartbeat)) return 'no heartbeat'
  if (heartbeat - at > AHEAD) return `heartbeat of ${new Date(heartbeat).toISOString()}, which is in the future`
  return `last heartbeat ${span(new Date(heartbeat).toISOString(), new Date(at).toISOString()) || '0 s'} ago`
}

/** One sentence for each reason why Nodes are not counted; empty if all Nodes are fresh. */
export function standingNotes(counts: Readonly<Record<Standing, number>>): readonly string[] {
  const { stale, rebooted, absent } = counts
  return [
    ...(stale > 0
      ? [`${nodesText(stale)}: the agent sends no heartbeats, so the labels are out of date (stale) and not counted.`]
      : []),
    ...(rebooted > 0
      ? [`${nodesText(rebooted)}: rebooted since the agent last observed it, so the labels are not counted.`]
      : []),
    ...(absent > 0 ? [`${nodesText(absent)}: not labelled by an agent yet, so nothing is known (-).`] : [])
  ]
}

export const nodesText = (count: number): string => `${count} ${count === 1 ? 'node' : 'nodes'}`

/** The first names, and the number of the others. */
export function namesText(nodes: readonly FleetNode[], most: number): string {
  const names = nodes.slice(0, most).map(({ name }) => name)
  return nodes.length > names.length ? `${names.join(', ')} and ${nodes.length - names.length} more` : names.join(', ')
}

/** How many of the Nodes have labels that are out of date; empty if none has. */
export function outdatedText(nodes: readonly FleetNode[], now: Now): string {
  const outdated = nodes.filter(node => isOutdated(node, now)).length
  return outdated === 0 ? '' : ` (${outdated === nodes.length ? 'out of date' : `${outdated} of them out of date`})`
}

/** Whether a way out is enough by itself, as far as berth knows; empty if it is on all of its nodes. */
export function aloneText(alone: number, nodes: number): string {
  if (alone === 0) return 'Other changes are also needed.'
  return alone === nodes ? '' : `For ${alone} of them no other change is needed.`
}
