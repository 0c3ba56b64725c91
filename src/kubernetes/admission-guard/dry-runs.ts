import type { Call } from '../call.ts'
import { EVENTS_PATH } from '../create-event.ts'
import { FIELD_MANAGER } from '../node-path.ts'

/** As in manifests/base: the policies of this version, or of a newer one, have all rules that berth relies on. */
export const POLICY_VERSION = 2
export const NODE_POLICY = 'berth-agent'
export const EVENT_POLICY = 'berth-agent-events'

/** A label outside every prefix of ours, and the name of no Node. Nothing is ever stored: all requests here are dry runs. */
const FOREIGN_KEY = 'guard-check.invalid/berth'
const NO_NODE = 'guard-check.invalid'

/** A request that must be refused, and by which policy. */
export interface DryRun {
  /** Continues "the API would". */
  readonly what: string
  readonly policy: string
  readonly call: Pick<Call, 'method' | 'path' | 'body' | 'contentType'>
}

export const labelOutsidePrefix = (path: string): DryRun => ({
  what: `accept a foreign label through ${path}`,
  policy: NODE_POLICY,
  call: patch(path, { metadata: { labels: { [FOREIGN_KEY]: 'dry-run' } } })
})

/** The patch is empty and so breaks no other rule: it can only be refused because the Node is not ours. */
export const patchOfAnotherNode = (path: string): DryRun => ({
  what: `accept a change of another Node through ${path}`,
  policy: NODE_POLICY,
  call: patch(path, {})
})

const patch = (path: string, body: object): DryRun['call'] => ({
  method: 'PATCH',
  path: `${path}?dryRun=All&fieldManager=${FIELD_MANAGER}`,
  body,
  contentType: 'application/merge-patch+json'
})

export const eventForAnotherNode = (): DryRun => ({
  what: 'accept an Event about another Node',
  policy: EVENT_POLICY,
  call: { method: 'POST', path: `${EVENTS_PATH}?dryRun=All`, body: EVENT }
})

const EVENT = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: NO_NODE, namespace: 'default' },
  reason: 'RemedyFailed',
  type: 'Warning',
  involvedObject: { apiVersion: 'v1', kind: 'Node', name: NO_NODE, uid: NO_NODE },
  source: { component: 'berth', host: NO_NODE }
}
