import type { Config } from '../cli/config.ts'
import type { Clock } from '../cycle/cycle.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { HostReader } from '../host/host.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import { backoff, type Pace } from '../kubernetes/backoff.ts'
import type { Connection } from '../kubernetes/connection.ts'
import type { NodeView } from '../node-sync/node-view.ts'
import type { Emit } from './agent-events.ts'
import type { EarlyConnection } from './early-connection.ts'
import type { Wake } from './wake.ts'

/** What the agent gets from outside: time, chance, the node, the API, and who listens. */
export interface AgentWorld extends Pace {
  readonly clock: Clock
  /** Aborted when the agent is asked to end. */
  readonly signal: AbortSignal
  readonly emit: Emit
  readonly host: HostReader
  /** The node, as far as it was asked since the start: the first observation is under way while the agent is loaded. */
  readonly early: HostReader
  readonly earlyConnection: EarlyConnection
  /** Called when the first turn ended that could write to the Node. */
  readonly labelled: () => void
  /** Resolves then, or after a second: nothing that can wait goes before the labels. */
  readonly afterLabels: Promise<void>
}

/** Until when what can wait waits, where the labels cannot be written (milliseconds). */
const LABELS_FIRST = 1_000

export function labelsFirst(sleep: Pace['sleep'], signal: AbortSignal): Pick<AgentWorld, 'labelled' | 'afterLabels'> {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { labelled: resolve, afterLabels: Promise.race([promise, sleep(LABELS_FIRST, signal)]) }
}

/** Observes the node once, and remembers what `before` still knew of what cannot be read now. */
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

/** The own Node as the watch showed it last, and whether it may be written to. */
export interface Seen {
  node: NodeObject | undefined
  view: NodeView | undefined
  /** The API said that we may be the agent of this Node. */
  isOurs: boolean
  /** The watch broke and has not come back: the view is old, and a write would fail. */
  isLost: boolean
}

/** The Node to write to; `undefined` while nothing may be written. */
export const writableNode = ({ view, isOurs, isLost }: Seen): NodeView | undefined => (isOurs && !isLost ? view : undefined)

/** Tries until it works or the agent ends: the API may be away when the node starts. */
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
