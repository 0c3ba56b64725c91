import type { Outcome } from '../remedies/outcome.ts'
import type { Labels } from './labels.ts'

export type EventReason = 'WorkspaceCapabilityChanged' | 'RemedyApplied' | 'RemedyFailed' | 'LabelDriftRepaired'

/** What `kubectl describe node` shows; kept by the API server for an hour. */
export interface NodeEvent {
  readonly reason: EventReason
  readonly type: 'Normal' | 'Warning'
  readonly message: string
}

/** The body of a core/v1 Event about a Node. They live in the namespace `default`, and name the Node by its name as kubelet does. */
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

/** What a helper did to the node, as an event; `undefined` for what it did not try. */
export function remedyEvent({ remedy, result, because, at }: Outcome): NodeEvent | undefined {
  if (at === '') return undefined
  return result === 'applied'
    ? { reason: 'RemedyApplied', type: 'Normal', message: `${remedy}: ${because}` }
    : { reason: 'RemedyFailed', type: 'Warning', message: `${remedy} (${result}): ${because}` }
}

/** What changed for schedulers between two sets of labels, as one event; `undefined` when nothing did. */
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

/** Labels that somebody else had changed and that are right again, as an event; `undefined` without any. */
export const driftEvent = (keys: readonly string[]): NodeEvent | undefined =>
  keys.length === 0
    ? undefined
    : { reason: 'LabelDriftRepaired', type: 'Warning', message: `somebody else changed ${keys.join(', ')}; repaired` }
