import { ApiError } from '../../kubernetes/api-error.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import type { V1Node } from '../../kubernetes/models.ts'
import { type Change, changeCondition, changeKeys } from '../../kubernetes/patch-node.ts'
import { type Waiting, withRetries } from '../../kubernetes/retry.ts'
import { CONDITION_TYPE } from '../../node-sync/condition.ts'
import { isNothing, NOTHING, ownKeys, type Removal, removalOf } from '../../node-sync/removal.ts'

export interface StripTerms {
  readonly connection: Connection
  readonly prefix: string
  readonly isDryRun: boolean
  readonly waiting: Waiting
}

/** What came of one Node. */
export interface Stripped {
  readonly name: string
  /** What is not there any more (by a dry run: would not be). */
  readonly removed: Removal
  /** Deleted while it was worked on. */
  readonly isGone: boolean
  /** What could not be removed, and why, in sentences. */
  readonly problems: readonly string[]
}

/** Removes from a Node, as it was read, what is ours. What one part is refused does not keep the other. Only bugs escape. */
export async function strip(node: V1Node, terms: StripTerms): Promise<Stripped> {
  const name = node.metadata?.name ?? ''
  const there = removalOf(node, terms.prefix)
  const outcome: Outcome = { removed: NOTHING, isGone: false, problems: [] }
  if (isNothing(there)) return { name, ...outcome }
  if (there.labels.length + there.annotations.length > 0) await part(outcome, () => stripKeys(name, there, terms))
  if (there.condition && !outcome.isGone) await part(outcome, () => stripCondition(name, terms))
  return { name, ...outcome }
}

interface Outcome {
  removed: Removal
  isGone: boolean
  problems: readonly string[]
}

async function part(outcome: Outcome, act: () => Promise<Partial<Removal>>): Promise<void> {
  try {
    outcome.removed = { ...outcome.removed, ...(await act()) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404) outcome.isGone = true
    else outcome.problems = [...outcome.problems, error.message]
  }
}

/** Times that keys are removed which somebody wrote while we removed. */
const ROUNDS = 3

async function stripKeys(name: string, { labels, annotations }: Removal, terms: StripTerms): Promise<Partial<Removal>> {
  let left = { labels, annotations }
  for (let round = 0; round < ROUNDS; round++) {
    const nulls = { labels: absent(left.labels), annotations: absent(left.annotations) }
    const carried = await stubbornly(terms, name, change => changeKeys(terms.connection, change, nulls))
    left = { labels: ownKeys(carried.labels, terms.prefix), annotations: ownKeys(carried.annotations, terms.prefix) }
    if (left.labels.length + left.annotations.length === 0) return { labels, annotations }
  }
  const keys = [...left.labels, ...left.annotations].join(', ')
  throw new ApiError(`the Node "${name}" carries ${keys} again after each removal: somebody writes it back`, {})
}

async function stripCondition(name: string, terms: StripTerms): Promise<Partial<Removal>> {
  await stubbornly(terms, name, change => changeCondition(terms.connection, change, { $patch: 'delete', type: CONDITION_TYPE }))
  return { condition: true }
}

/** The patches name only what they remove, so after a conflict the same is right to send again. */
const stubbornly = <T>({ waiting, isDryRun }: StripTerms, name: string, send: (change: Change) => Promise<T>): Promise<T> =>
  withRetries(
    () =>
      send({ name, isDryRun }).catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.status !== 409) throw error
        throw new ApiError(error.message, { ...error, transient: true, cause: error })
      }),
    waiting
  )

const absent = (keys: readonly string[]): Readonly<Record<string, null>> => Object.fromEntries(keys.map(key => [key, null]))
