import type { DetectorName } from '../facts/all.ts'
import type { NodeFacts } from '../facts/observe.ts'
import type { Outcome } from '../remedies/outcome.ts'
import type { PlanStep } from '../remedies/plan.ts'
import type { Verdicts } from '../verdicts/decide.ts'
import type { Memory } from './memory.ts'

/** Everything that one look at the node came to. Frozen: publishers read it, and nobody writes it. */
export interface Snapshot {
  /** When the look ended, ISO 8601 in UTC. */
  readonly at: string
  readonly facts: NodeFacts
  readonly verdicts: Verdicts
  readonly plan: readonly PlanStep[]
  /** What came of remedies that a privileged helper planned by itself; empty without one. */
  readonly outcomes: readonly Outcome[]
  /** Seconds each detector took. */
  readonly durations: Readonly<Record<string, number>>
  /** For the next look. */
  readonly memory: Memory
  /** Facts that could not be read this time, and count by what was read before. */
  readonly recalled: readonly DetectorName[]
}
