import type { Snapshot } from '../cycle/snapshot.ts'
import type { Attempt } from '../facts/fact.ts'
import type { FactName } from '../facts/observe.ts'
import type { Guard } from '../kubernetes/admission-guard/check.ts'
import type { ApiError } from '../kubernetes/api-error.ts'
import type { Restart } from '../kubernetes/own-node/watch-restart.ts'
import type { RequestInfo } from '../kubernetes/request-info.ts'
import type { Drift } from '../node-sync/drift.ts'
import type { Labels } from '../node-sync/labels.ts'
import type { Result, Target } from '../node-sync/status.ts'

/** Everything that the agent reports about its work, by type. */
interface Payloads {
  started: { readonly server: string }
  /** The API said who we are; `node` is empty when the token belongs to no Node in particular. */
  identified: { readonly user: string; readonly node: string }
  'guard-checked': { readonly guard: Guard }
  observed: { readonly snapshot: Snapshot }
  /** The API was asked for a fact; `answer` is undefined when it was not asked. */
  'fact-asked': { readonly fact: FactName; readonly answer: Attempt<unknown> | undefined }
  /** A part of the helper's handover is not used. */
  'handover-doubted': { readonly why: string }
  /** A turn of the loop ended. `wanted` is what the Node should carry, including what is kept from before. */
  'turn-ended': { readonly isPublished: boolean; readonly wanted: Labels }
  /** The watch received something. */
  'api-alive': object
  /** A request to the API ended with this HTTP status; 0 without an answer. */
  'api-answered': { readonly request: RequestInfo; readonly status: number }
  'api-lost': { readonly error: ApiError }
  'watch-restarted': { readonly reason: Restart; readonly error: ApiError | undefined }
  wrote: { readonly target: Target; readonly result: Result; readonly what: string; readonly error: ApiError | undefined }
  repaired: { readonly drift: Drift; readonly seconds: number }
  /** How many keys are paused because somebody keeps changing them back, and whose pause begins now. */
  contested: { readonly keys: number; readonly begun: readonly string[] }
}

type EventType = keyof Payloads
type EventOf<T extends EventType> = Payloads[T] & { readonly type: T }
export type AgentEvent = { [T in EventType]: EventOf<T> }[EventType]
export type Emit = (event: AgentEvent) => void

/** What a listener does about the types that concern it. */
export type Handlers = { readonly [T in EventType]?: (event: EventOf<T>) => void }

/** Calls the handler of the event's type, where there is one. */
export const listenWith =
  (handlers: Handlers): Emit =>
  event =>
    (handlers[event.type] as Emit | undefined)?.(event)

/** What an event says about the API server: whether it can be reached, and the last error. `undefined` when it says nothing. */
export function connectionSeenIn(event: AgentEvent): { readonly isConnected: boolean; readonly error?: string } | undefined {
  switch (event.type) {
    case 'identified':
    case 'api-alive':
      return { isConnected: true }
    case 'api-lost':
      // An API that answers that there is no such Node can be reached.
      return event.error.status === 404 ? undefined : { isConnected: false, error: event.error.message }
    case 'watch-restarted':
      return event.error && { isConnected: false, error: event.error.message }
    default:
      return undefined
  }
}
