import type { DetectorName } from '../facts/all.ts'
import type { NodeFacts } from '../facts/observe.ts'
import type { Outcome } from '../remedies/outcome.ts'
import type { PlanStep } from '../remedies/plan.ts'
import type { Verdicts } from '../verdicts/decide.ts'
import type { Memory } from './memory.ts'

/** The result of one observation and the decisions about it. Frozen: later rooms only read it. */
export interface Snapshot {
  /** When the observation ended, ISO 8601 in UTC. */
  readonly at: string
  readonly facts: NodeFacts
  readonly verdicts: Verdicts
  readonly plan: readonly PlanStep[]
  /** The results of the remedies that a privileged helper planned; empty without a helper. */
  readonly outcomes: readonly Outcome[]
  /** Seconds each detector took. */
  readonly durations: Readonly<Record<string, number>>
  /** For the next observation. */
  readonly memory: Memory
  /** Facts that could not be read this time and keep an earlier value. */
  readonly recalled: readonly DetectorName[]
}
