import type { Snapshot } from '../cycle/snapshot.ts'
import type { DriftKind } from '../node-sync/drift.ts'
import { type Labels, labels } from '../node-sync/labels.ts'
import { type ReadTimes, readTimes, type Status, type Write } from '../node-sync/status.ts'
import type { Health } from '../web/server.ts'
import { type AgentEvent, connectionSeenIn, type Emit, type Handlers, listenWith } from './agent-events.ts'

export interface StateTerms {
  readonly node: string
  readonly prefix: string
  readonly version: string
  readonly clock: { readonly elapsed: () => number; readonly now: () => Date }
  /** If no turn ends for so long, the loop counts as stuck (milliseconds). */
  readonly patience: number
}

/** What the status page and the probes show. */
export interface AgentState {
  readonly listen: Emit
  readonly status: () => Status
  readonly health: () => Health
  readonly ready: () => Health
}

/** How many writes the status page shows. */
const REMEMBERED = 20

interface State {
  snapshot: Snapshot | undefined
  /** `undefined` before the first turn ended. */
  labels: Labels | undefined
  readAt: ReadTimes
  lastWrites: readonly Write[]
  api: Status['api']
  guard: boolean | undefined
  readonly drift: Record<DriftKind, number>
  turnEndedAt: number
  isPublished: boolean
}

export function createAgentState(terms: StateTerms): AgentState {
  const { node, version, clock } = terms
  const at = (): string => clock.now().toISOString()
  const startedAt = at()
  const state: State = {
    snapshot: undefined,
    labels: undefined,
    readAt: {},
    lastWrites: [],
    api: { server: '', state: 'disconnected', since: startedAt, lastError: '' },
    guard: undefined,
    drift: { removed: 0, changed: 0, added: 0 },
    turnEndedAt: clock.elapsed(),
    isPublished: false
  }
  const listen = listenWith(stateHandlers(state, { at, elapsed: clock.elapsed }))
  return {
    listen: event => {
      noteConnection(state, event, at)
      listen(event)
    },
    status: () => ({
      ...{ at: at(), node, version, startedAt },
      snapshot: state.snapshot,
      readAt: state.readAt,
      labels: state.labels ?? (state.snapshot === undefined ? {} : labels(state.snapshot, terms.prefix)),
      lastWrites: state.lastWrites,
      api: state.api,
      guard: state.guard,
      drift: { ...state.drift }
    }),
    health: () => {
      const age = clock.elapsed() - state.turnEndedAt
      return { ok: age < terms.patience, because: `the last turn ended ${Math.round(age / 1000)} s ago` }
    },
    ready: () => ({
      ok: state.isPublished,
      because: state.isPublished ? 'the labels are published' : 'the labels are not published yet'
    })
  }
}

function stateHandlers(state: State, { at, elapsed }: { readonly at: () => string; readonly elapsed: () => number }): Handlers {
  return {
    started: ({ server }) => {
      state.api = { ...state.api, server }
    },
    'guard-checked': ({ guard }) => {
      state.guard = guard.enforced
    },
    observed: ({ snapshot }) => {
      state.snapshot = snapshot
      state.readAt = readTimes(state.readAt, snapshot)
    },
    'turn-ended': ({ isPublished, wanted }) => {
      state.labels = wanted
      state.turnEndedAt = elapsed()
      state.isPublished = isPublished
    },
    wrote: ({ target, result, what }) => {
      state.lastWrites = [{ at: at(), target, what, result }, ...state.lastWrites].slice(0, REMEMBERED)
    },
    repaired: ({ drift }) => {
      state.drift[drift.kind] += 1
    }
  }
}

function noteConnection(state: State, event: AgentEvent, at: () => string): void {
  const seen = connectionSeenIn(event)
  if (seen === undefined) return
  const connection = seen.isConnected ? 'connected' : 'disconnected'
  const since = state.api.state === connection ? state.api.since : at()
  state.api = { ...state.api, state: connection, since, lastError: seen.error ?? state.api.lastError }
}
