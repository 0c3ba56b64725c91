import type { Snapshot } from '../cycle/snapshot.ts'
import { growing, spread } from '../growing-wait.ts'
import type { Metadata } from '../kubernetes/own-node/metadata.ts'
import { patchCondition } from '../kubernetes/own-node/patch.ts'
import { type Condition, conditionToWrite, opinion } from './condition.ts'
import type { NodeView } from './node-view.ts'
import { REFUSED } from './refused-keys.ts'
import { attemptWrite, type WriterTerms } from './writes.ts'

/** Keeps the condition `WorkspaceNodeReady` and its heartbeat up to date. */
export interface ConditionWriter {
  /** Writes it when it differs or its heartbeat is due. Throws `ApiError` for a failure that may pass. */
  readonly write: (snapshot: Snapshot, published: boolean, node: NodeView) => Promise<void>
  /** Milliseconds until the heartbeat is due. */
  readonly untilDue: (node: NodeView) => number
}

/** After an outage the heartbeats of all agents are late at once. They are not urgent, so they are spread over a time (milliseconds). */
const BEAT_LATE = 2_000
const BEAT_SPREAD = 45_000

/** `heartbeat` is in milliseconds; `saw` is given the Node that each write returns. */
export function createConditionWriter(
  { connection, clock, random, listener }: WriterTerms,
  heartbeat: number,
  saw: (node: Metadata) => void
): ConditionWriter {
  let interval = spread(heartbeat, random)
  let beatAt: number | undefined
  let failures = 0
  let pausedUntil = 0

  /** A heartbeat in time is due at once, a late one at a random time in the next seconds. */
  const isBeatDue = (standing: Condition | undefined, now: Date): boolean => {
    const late = standing === undefined ? 0 : now.getTime() - Date.parse(standing.lastHeartbeatTime) - interval
    if (late < BEAT_LATE) return true
    beatAt ??= clock.elapsed() + random() * Math.min(BEAT_SPREAD, heartbeat)
    return clock.elapsed() >= beatAt
  }

  const write = async (snapshot: Snapshot, published: boolean, node: NodeView): Promise<void> => {
    const [standing, wanted, now] = [node.condition, opinion(snapshot, published), clock.now()]
    const condition = conditionToWrite(standing, wanted, now, interval)
    if (condition === undefined) {
      beatAt = undefined // another agent wrote it
      return
    }
    const isBeat = conditionToWrite(standing, wanted, now, Number.POSITIVE_INFINITY) === undefined
    if (isBeat && !isBeatDue(standing, now)) return
    // After a refusal, for instance of a heartbeat in the API server's future, nothing is sent until the pause ends.
    if (clock.elapsed() < pausedUntil) return
    const isWritten = await attemptWrite(listener, { target: 'condition', what: condition.reason }, async () =>
      saw(await patchCondition(connection, node.name, condition))
    )
    failures = isWritten ? 0 : failures + 1
    pausedUntil = isWritten ? 0 : clock.elapsed() + growing(REFUSED, failures)
    interval = spread(heartbeat, random)
    beatAt = undefined
  }

  const untilDue = ({ condition }: NodeView): number => {
    const age = condition === undefined ? 0 : clock.now().getTime() - Date.parse(condition.lastHeartbeatTime)
    // The watch has not shown yet what was just written.
    const beat = age >= 0 && age < interval ? interval - age : interval
    return beatAt === undefined ? beat : Math.min(beat, beatAt - clock.elapsed())
  }
  return { write, untilDue }
}
