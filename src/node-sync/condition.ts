import * as z from 'zod/mini'
import type { Snapshot } from '../cycle/snapshot.ts'
import { ALL_FACTS } from '../facts/all.ts'
import type { Fact } from '../facts/fact.ts'

export const CONDITION_TYPE = 'WorkspaceNodeReady'

/** After so many intervals without a heartbeat, the agent has stopped or cannot write. */
export const HEARTBEATS = 3

/** How far a heartbeat may be ahead of the reader's clock (milliseconds); the admission policy has the same limit. */
export const AHEAD = 5 * 60_000

/** A node condition as Kubernetes has it; times in ISO 8601. */
export interface Condition {
  readonly type: typeof CONDITION_TYPE
  readonly status: 'True' | 'False' | 'Unknown'
  /** CamelCase, for programs. */
  readonly reason: string
  /** For people. */
  readonly message: string
  readonly lastHeartbeatTime: string
  readonly lastTransitionTime: string
}

const TIME = z.string().check(z.refine(text => !Number.isNaN(Date.parse(text))))

const CONDITION: z.ZodMiniType<Condition> = z.object({
  type: z.literal(CONDITION_TYPE),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.catch(z.string(), ''),
  message: z.catch(z.string(), ''),
  lastHeartbeatTime: TIME,
  lastTransitionTime: TIME
})

/** Our condition on a Node. An incomplete one, which somebody else must have written, counts as missing. */
export function standingCondition(conditions: readonly { readonly type: string }[]): Condition | undefined {
  const form = z.safeParse(
    CONDITION,
    conditions.find(({ type }) => type === CONDITION_TYPE)
  )
  return form.success ? form.data : undefined
}

type Opinion = Pick<Condition, 'status' | 'reason' | 'message'>

/** Facts on which no label depends. */
const INFORMATIONAL: readonly string[] = ALL_FACTS.filter(({ isInformational }) => isInformational === true).map(
  ({ name }) => name
)

/** What the condition should say. `published`: the Node carries every label as it should. */
export function opinion(
  { facts, recalled, outcomes }: Pick<Snapshot, 'facts' | 'recalled' | 'outcomes'>,
  published: boolean
): Opinion {
  const failed = outcomes.find(({ result }) => result === 'failed' || result === 'ineffective')
  if (failed !== undefined) {
    const reason = failed.result === 'failed' ? 'RemedyFailed' : 'RemedyIneffective'
    return { status: 'False', reason, message: `${failed.remedy}: ${failed.because}`.slice(0, 1024) }
  }
  const all = Object.entries(facts) as [string, Fact<unknown>][]
  const unknown = all.filter(([name, fact]) => !fact.known && !INFORMATIONAL.includes(name))
  const missed = recalled.filter(name => !INFORMATIONAL.includes(name))
  if (unknown.length === 0 && missed.length > 0) {
    return { status: 'Unknown', reason: 'FactsRecalled', message: `could not be read lately: ${missed.join(', ')}` }
  }
  const [first] = unknown
  if (first !== undefined) {
    const names = unknown.map(([name]) => name).join(', ')
    const why = first[1].known ? '' : first[1].why
    return {
      status: 'Unknown',
      reason: 'FactsUnknown',
      message:
        `${unknown.length === 1 ? '1 fact is' : `${unknown.length} facts are`} unknown (${names}); the first: ${why}`.slice(
          0,
          1024
        )
    }
  }
  if (!published)
    return { status: 'Unknown', reason: 'LabelsNotPublished', message: 'some labels could not be written to this Node' }
  return { status: 'True', reason: 'FactsKnownAndPublished', message: 'all facts are known and all labels are published' }
}

/**
 * The condition to write; `undefined` if the one on the Node is right and its heartbeat is younger than `heartbeat` milliseconds. The
 * transition time changes only with the status.
 */
export function conditionToWrite(
  standing: Condition | undefined,
  wanted: Opinion,
  now: Date,
  heartbeat: number
): Condition | undefined {
  const same =
    standing !== undefined &&
    standing.status === wanted.status &&
    standing.reason === wanted.reason &&
    standing.message === wanted.message
  // A heartbeat from the future (the clock was set back) counts as missing.
  const age = standing === undefined ? Number.POSITIVE_INFINITY : now.getTime() - Date.parse(standing.lastHeartbeatTime)
  if (same && age >= 0 && age < heartbeat) return undefined
  const at = `${now.toISOString().slice(0, 19)}Z`
  const lastTransitionTime = standing?.status === wanted.status ? standing.lastTransitionTime : at
  return { type: CONDITION_TYPE, ...wanted, lastHeartbeatTime: at, lastTransitionTime }
}
