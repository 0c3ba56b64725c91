import { ApiError } from './api-error.ts'
import type { Call, Connection } from './connection.ts'
import { FIELD_MANAGER, METADATA_ONLY } from './own-node.ts'
import { watchEvents } from './watch-events.ts'

export interface Guard {
  readonly enforced: boolean
  /** What was tried and what came of it, for people. */
  readonly says: string
}

/** As in manifests/base: the policies of this version, or of a newer one, have all rules that berth relies on. */
export const POLICY_VERSION = 2
export const NODE_POLICY = 'berth-agent'
export const EVENT_POLICY = 'berth-agent-events'

/** Nobody's key, below no prefix of ours, and the name of no Node. Neither is ever written: all requests here are dry runs. */
const FOREIGN_KEY = 'guard-check.invalid/berth'
const NO_NODE = 'guard-check.invalid'

/**
 * Proves by dry runs that the admission policies refuse what they must refuse us: a foreign label through the status of the own Node, any
 * change of another Node, and an Event about another Node. Each path and each policy is tried once: all agents of a cluster do this.
 * Throws `ApiError` when a question got no answer.
 */
export async function checkGuard(connection: Connection, name: string, signal: AbortSignal): Promise<Guard> {
  const own = await checkOwnNode(connection, name, signal)
  return own.enforced ? await checkOtherNodes(connection, name, signal) : own
}

/** The first part of the proof, which is one request. Throws `ApiError`. */
export async function checkOwnNode(connection: Connection, name: string, signal: AbortSignal): Promise<Guard> {
  const problem = await firstProblem(connection, [ownAttempt(pathOf(name, '/status'))], signal)
  return problem === ''
    ? { enforced: true, says: 'the admission policy refuses a foreign label; another Node is tried within a quarter of an hour' }
    : { enforced: false, says: problem }
}

/** The second part. Throws `ApiError`. */
export async function checkOtherNodes(connection: Connection, name: string, signal: AbortSignal): Promise<Guard> {
  const other = await anotherNode(connection, name, signal)
  const onNode = other === undefined ? ownAttempt(pathOf(name)) : otherAttempt(pathOf(other))
  const problem = await firstProblem(connection, [onNode, eventAttempt()], signal)
  if (problem !== '') return { enforced: false, says: problem }
  return {
    enforced: true,
    says:
      other === undefined
        ? 'the admission policies refuse a foreign label and an Event about another Node; there is no other Node on which to try more'
        : `the admission policies refuse a foreign label, an Event about another Node and every change of the Node "${other}"`
  }
}

/** A request that must be refused, and by which policy. */
interface Attempt {
  /** Continues "the API would". */
  readonly what: string
  readonly policy: string
  readonly call: Pick<Call, 'method' | 'path' | 'body' | 'contentType'>
}

const pathOf = (name: string, part = ''): string => `/api/v1/nodes/${encodeURIComponent(name)}${part}`

const ownAttempt = (path: string): Attempt => ({
  what: `take a foreign label through ${path}`,
  policy: NODE_POLICY,
  call: patch(path, { metadata: { labels: { [FOREIGN_KEY]: 'dry-run' } } })
})

/** An empty patch breaks no other rule: what refuses it is that the Node is not ours. */
const otherAttempt = (path: string): Attempt => ({
  what: `take a change of another Node through ${path}`,
  policy: NODE_POLICY,
  call: patch(path, {})
})

const patch = (path: string, body: object): Attempt['call'] => ({
  method: 'PATCH',
  path: `${path}?dryRun=All&fieldManager=${FIELD_MANAGER}`,
  body,
  contentType: 'application/merge-patch+json'
})

const eventAttempt = (): Attempt => ({
  what: 'take an Event about another Node',
  policy: EVENT_POLICY,
  call: {
    method: 'POST',
    path: '/api/v1/namespaces/default/events?dryRun=All',
    body: {
      ...{
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: NO_NODE, namespace: 'default' },
        reason: 'RemedyFailed',
        type: 'Warning'
      },
      ...{
        involvedObject: { apiVersion: 'v1', kind: 'Node', name: NO_NODE, uid: NO_NODE },
        source: { component: 'berth', host: NO_NODE }
      }
    }
  }
})

/** What the first attempt that is not refused as it must be says, or an empty text. */
async function firstProblem(connection: Connection, attempts: readonly Attempt[], signal: AbortSignal): Promise<string> {
  for (const attempt of attempts) {
    const problem = problemOf(attempt, await refusalOf(connection, attempt, signal))
    if (problem !== '') return problem
  }
  return ''
}

function problemOf({ what, policy }: Attempt, refusal: string): string {
  if (refusal === '') return `the API would ${what}`
  if (!refusal.includes(`ValidatingAdmissionPolicy '${policy}'`)) {
    return `the API does not ${what}, but it is not the admission policy ${policy} that refuses: ${refusal}`
  }
  const version = Number(/berth policy (\d+): /.exec(refusal)?.[1] ?? 1)
  return version >= POLICY_VERSION
    ? ''
    : `the admission policy ${policy} is version ${version}, and this berth expects version ${POLICY_VERSION}: apply manifests/base of this release`
}

/** What the API says against it, or an empty text when it would do it. */
async function refusalOf(connection: Connection, { call }: Attempt, signal: AbortSignal): Promise<string> {
  const question = { tried: 'try what the admission policy must refuse', whenMissing: 'kubectl get nodes' }
  try {
    await connection.call(question, { ...call, accept: METADATA_ONLY, signal })
    return ''
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 422)) return error.message
    throw error
  }
}

/** Seconds. The API server sends the Nodes that there are at once. */
const NAMED_WITHIN = 5

/** Only the first is read, and the API server sends some at once (bytes). */
const FIRST_EVENTS = 8 * 1024 * 1024

/**
 * The name of some other Node. A patch of a Node that does not exist is answered 404 before any policy is asked, so a made-up name proves
 * nothing; and berth may not list. It may watch, and a watch begins with the Nodes that there are: the first one is enough.
 */
async function anotherNode(connection: Connection, own: string, signal: AbortSignal): Promise<string | undefined> {
  const query = new URLSearchParams({
    watch: '1',
    fieldSelector: `metadata.name!=${own}`,
    resourceVersion: '0'
  })
  const question = { tried: 'find another Node', whenMissing: '' }
  const watched = { query, seconds: NAMED_WITHIN, most: FIRST_EVENTS, signal, accept: METADATA_ONLY }
  for await (const { type, object } of watchEvents(connection, question, watched)) {
    if (type !== 'DELETED' && type !== 'BOOKMARK') return object.metadata?.name
  }
  return undefined
}
