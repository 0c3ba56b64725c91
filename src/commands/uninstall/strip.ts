import { ApiError } from '../../kubernetes/api-error.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import type { V1Node } from '../../kubernetes/models.ts'
import { type Change, changeCondition, changeKeys } from '../../kubernetes/patch-node.ts'
import { type Waiting, withRetries } from '../../kubernetes/retry.ts'
import { CONDITION_TYPE } from '../../node-sync/condition.ts'
import { isNothing, NOTHING, ownKeys, type Removal, removalOf } from '../../node-sync/own-entries.ts'

export interface StripTerms {
  readonly connection: Connection
  readonly prefix: string
  readonly isDryRun: boolean
  readonly waiting: Waiting
}

/** The result for one Node. */
export interface Stripped {
  readonly name: string
  /** What was removed, or would be in a dry run. */
  readonly removed: Removal
  /** The Node was deleted meanwhile. */
  readonly isGone: boolean
  /** Sentences that say what could not be removed, and why. */
  readonly problems: readonly string[]
}

/** Removes everything of ours from a Node. If one part is refused, the other is still removed. Throws only on bugs. */
export async function strip(node: V1Node, terms: StripTerms): Promise<Stripped> {
  const name = node.metadata?.name ?? ''
  const found = removalOf(node, terms.prefix)
  const outcome: Outcome = { removed: NOTHING, isGone: false, problems: [] }
  if (isNothing(found)) return { name, ...outcome }
  if (found.labels.length + found.annotations.length > 0) await collect(outcome, () => stripKeys(name, found, terms))
  if (found.condition && !outcome.isGone) await collect(outcome, () => stripCondition(name, terms))
  return { name, ...outcome }
}

interface Outcome {
  removed: Removal
  isGone: boolean
  problems: readonly string[]
}

/** Adds the result of one part, or why it failed, to the outcome. */
async function collect(outcome: Outcome, act: () => Promise<Partial<Removal>>): Promise<void> {
  try {
    outcome.removed = { ...outcome.removed, ...(await act()) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404) outcome.isGone = true
    else outcome.problems = [...outcome.problems, error.message]
  }
}

/** How many times keys are removed that something else writes back. */
const ROUNDS = 3

async function stripKeys(name: string, { labels, annotations }: Removal, terms: StripTerms): Promise<Partial<Removal>> {
  let left = { labels, annotations }
  for (let round = 0; round < ROUNDS; round++) {
    const nulls = { labels: absent(left.labels), annotations: absent(left.annotations) }
    const carried = await retryConflicts(terms, name, change => changeKeys(terms.connection, change, nulls))
    left = { labels: ownKeys(carried.labels, terms.prefix), annotations: ownKeys(carried.annotations, terms.prefix) }
    if (left.labels.length + left.annotations.length === 0) return { labels, annotations }
  }
  const keys = [...left.labels, ...left.annotations].join(', ')
  throw new ApiError(`the Node "${name}" carries ${keys} again after each removal: something writes them back`, {})
}

async function stripCondition(name: string, terms: StripTerms): Promise<Partial<Removal>> {
  await retryConflicts(terms, name, change =>
    changeCondition(terms.connection, change, { $patch: 'delete', type: CONDITION_TYPE })
  )
  return { condition: true }
}

/** Also retries conflicts: the patches name only what they remove, so the same patch stays right. */
const retryConflicts = <T>({ waiting, isDryRun }: StripTerms, name: string, send: (change: Change) => Promise<T>): Promise<T> =>
  withRetries(
    () =>
      send({ name, isDryRun }).catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.status !== 409) throw error
        throw new ApiError(error.message, { ...error, transient: true, cause: error })
      }),
    waiting
  )

const absent = (keys: readonly string[]): Readonly<Record<string, null>> => Object.fromEntries(keys.map(key => [key, null]))
