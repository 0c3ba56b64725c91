import type { Outcome } from '../remedies/outcome.ts'
import type { Labels } from './labels.ts'

export type EventReason = 'WorkspaceCapabilityChanged' | 'RemedyApplied' | 'RemedyFailed' | 'LabelDriftRepaired'

/** What `kubectl describe node` shows; kept by the API server for an hour. */
export interface NodeEvent {
  readonly reason: EventReason
  readonly type: 'Normal' | 'Warning'
  readonly message: string
}

/** The body of a core/v1 Event about a Node, as the kubelet writes it: in the namespace `default`, with the Node's name as uid. */
export const eventBody = ({ reason, type, message }: NodeEvent, node: string, at: Date, id: string) => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `${node}.${id}`, namespace: 'default' },
  involvedObject: { apiVersion: 'v1', kind: 'Node', name: node, uid: node },
  reason,
  type,
  message: message.slice(0, 1024),
  source: { component: 'berth', host: node },
  firstTimestamp: at,
  lastTimestamp: at,
  count: 1
})

/** An event about what a helper did to the node; `undefined` if it did not try. */
export function remedyEvent({ remedy, result, because, at }: Outcome): NodeEvent | undefined {
  if (at === '') return undefined
  return result === 'applied'
    ? { reason: 'RemedyApplied', type: 'Normal', message: `${remedy}: ${because}` }
    : { reason: 'RemedyFailed', type: 'Warning', message: `${remedy} (${result}): ${because}` }
}

/** One event about the changed capabilities between two sets of labels; `undefined` if none changed. */
export function capabilityChange(
  before: Labels,
  after: Labels,
  capabilities: readonly string[],
  prefix: string
): NodeEvent | undefined {
  const changes = capabilities.flatMap(name => {
    const [old, now] = [before[`${prefix}/${name}`], after[`${prefix}/${name}`]]
    return old === now || now === undefined ? [] : [`${name}: ${old ?? 'not labelled'} → ${now}`]
  })
  if (changes.length === 0) return undefined
  const isWorse = changes.some(change => change.includes(': true →'))
  return { reason: 'WorkspaceCapabilityChanged', type: isWorse ? 'Warning' : 'Normal', message: changes.join(', ') }
}

/** An event about labels that somebody else had changed and that were repaired; `undefined` without any. */
export const driftEvent = (keys: readonly string[]): NodeEvent | undefined =>
  keys.length === 0
    ? undefined
    : { reason: 'LabelDriftRepaired', type: 'Warning', message: `somebody else changed ${keys.join(', ')}; repaired` }
