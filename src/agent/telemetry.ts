import type { Log } from '../log.ts'
import type { Metrics } from '../web/metrics.ts'
import type { Emit } from './agent-events.ts'
import { type AgentState, createAgentState, type StateTerms } from './agent-state.ts'
import { countEvents } from './count-events.ts'
import { logEvents } from './log-events.ts'

export interface Telemetry extends Omit<AgentState, 'listen'> {
  readonly emit: Emit
}

export interface TelemetryTerms extends StateTerms {
  readonly log: Log
  readonly metrics: Metrics
}

/** One stream of events with three listeners: log, metrics, and the state of page and probes. */
export function createTelemetry(terms: TelemetryTerms): Telemetry {
  const { listen, ...state } = createAgentState(terms)
  const listeners = [logEvents(terms.log, terms), countEvents(terms.metrics, terms.clock.now), listen]
  return {
    ...state,
    emit: event => {
      for (const listener of listeners) listener(event)
    }
  }
}
