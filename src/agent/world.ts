import type { Config } from '../cli/config.ts'
import type { Clock } from '../cycle/cycle.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { HostReader } from '../host/host.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { backoff, type Pace } from '../kubernetes/reconnect-window.ts'
import type { NodeView } from '../node-sync/node-view.ts'
import type { Emit } from './agent-events.ts'
import type { EarlyConnection } from './early-connection.ts'
import type { FirstLabels } from './first-labels.ts'
import type { Wake } from './wake.ts'

/** What the agent gets from outside: time, randomness, the node, the API, and the listener of its events. */
export interface AgentWorld extends Pace {
  readonly clock: Clock
  /** Aborted when the agent is asked to end. */
  readonly signal: AbortSignal
  readonly emit: Emit
  readonly host: HostReader
  /** The same node, with the answers that it gave since the start: the first observation runs while the agent is still being loaded. */
  readonly early: HostReader
  readonly earlyConnection: EarlyConnection
  readonly firstLabels: FirstLabels
}

/** Observes the node once. For what cannot be read now it keeps what `before` still knew. */
export type Observe = (before: Snapshot | undefined, agent: Agent) => Promise<Snapshot>

/** What all parts of the running agent share. */
export interface Agent {
  readonly config: Config
  readonly world: AgentWorld
  readonly host: HostReader
  readonly connection: Connection
  readonly wake: Wake
  readonly observe: Observe
  readonly seen: Seen
}

/** The agent's own Node as the watch showed it last, and whether the agent may write to it. */
export interface Seen {
  node: NodeObject | undefined
  view: NodeView | undefined
  /** The API has confirmed that our token is not one of another Node. */
  isOurs: boolean
  /** The watch is broken: the view is out of date, and a write would fail. */
  isLost: boolean
}

/** The Node to write to; `undefined` while nothing may be written. */
export const writableNode = ({ view, isOurs, isLost }: Seen): NodeView | undefined => (isOurs && !isLost ? view : undefined)

/** Tries until it succeeds or the agent ends: the API may not respond yet when the node starts. */
export async function untilAnswered(world: AgentWorld, ask: () => Promise<void>): Promise<void> {
  for (let failures = 1; !world.signal.aborted; failures += 1) {
    try {
      await ask()
      return
    } catch (error) {
      if (world.signal.aborted) return
      if (!(error instanceof ApiError)) throw error
      world.emit({ type: 'api-lost', error })
      await world.sleep(backoff(failures, world.random, error.retryAfter * 1000), world.signal)
    }
  }
}
