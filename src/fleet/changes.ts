import type { Capability } from '../verdicts/all.ts'
import { type FleetNode, reportedVerdict } from './fleet-node.ts'
import { poolText } from './pools.ts'

/** The changes of a Node, one line each: `n1: podman no → yes: …`. `undefined`: the Node does not exist. Heartbeats are no change. */
export function changesOf(
  before: FleetNode | undefined,
  after: FleetNode | undefined,
  capabilities: readonly Capability[]
): readonly string[] {
  if (after === undefined) return before === undefined ? [] : [`${before.name}: deleted`]
  if (before === undefined) return [`${after.name}: new, ${poolText(after.pool)}`]
  const answers = capabilities.flatMap(capability => {
    const [was, is] = [before.answers[capability] ?? '-', after.answers[capability] ?? '-']
    return was === is ? [] : [`${after.name}: ${capability} ${was} → ${is}${because(after, capability)}`]
  })
  const [were, are] = [before.notes.join(', '), after.notes.join(', ')]
  return [
    ...answers,
    ...(were === are ? [] : [`${after.name}: ${are === '' ? `no longer ${were}` : are}`]),
    ...(after.isRebooted && !before.isRebooted ? [`${after.name}: rebooted`] : [])
  ]
}

const because = (node: FleetNode, capability: Capability): string => {
  const text = reportedVerdict(node, capability)?.because ?? ''
  return text === '' ? '' : `: ${text}`
}
