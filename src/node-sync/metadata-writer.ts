import { ApiError } from '../kubernetes/api-error.ts'
import type { Metadata } from '../kubernetes/own-node/metadata.ts'
import { patchMetadata } from '../kubernetes/own-node/patch.ts'
import { type Difference, keysOf, restrict } from './difference.ts'
import type { NodeView } from './node-view.ts'
import { isWaiting, NO_REFUSED_KEYS, nextTry, stillOpen, withRefusal } from './refused-keys.ts'
import type { Result, Target } from './status.ts'
import { isRefusal, isUnauthorized, type WriterTerms } from './writes.ts'

/** Writes labels and the report annotation, and remembers which keys the API refused. */
export interface MetadataWriter {
  /**
   * Sends one request for all keys; if the API refuses it, one request for each key, so that a refused key does not affect the others.
   * Resolves to what the Node carries then. Throws `ApiError` for a failure that may pass.
   */
  readonly write: (node: NodeView, difference: Difference) => Promise<Metadata>
  /** The part of a difference that is not waiting after a refusal; refusals of other keys are forgotten. */
  readonly dueOf: (difference: Difference) => Difference
  /** When a refused key is tried again (milliseconds), infinity when none waits. */
  readonly nextTry: () => number
}

export function createMetadataWriter({ connection, clock, listener }: WriterTerms): MetadataWriter {
  let refused = NO_REFUSED_KEYS
  const report = (difference: Difference, result: Result, error?: ApiError): void => {
    for (const [target, what] of partsOf(difference)) listener.wrote(target, result, what, error)
  }
  const write = async (node: NodeView, difference: Difference): Promise<Metadata> => {
    try {
      const carried = await patchMetadata(connection, node.name, { ...difference, uid: node.uid })
      const keys = keysOf(difference)
      refused = stillOpen(refused, key => !keys.includes(key))
      report(difference, 'written')
      return carried
    } catch (error) {
      if (error instanceof ApiError) return await afterFailure(node, difference, error)
      throw error
    }
  }
  const afterFailure = async (node: NodeView, difference: Difference, error: ApiError): Promise<Metadata> => {
    if (!isRefusal(error) || isUnauthorized(error)) {
      report(difference, 'failed', error)
      throw error
    }
    const [key = '', ...others] = keysOf(difference)
    if (others.length > 0) return await writeOneByOne(node, difference)
    refused = withRefusal(refused, key, wantedValue(difference, key), clock.elapsed())
    report(difference, 'refused', error)
    return node
  }
  const writeOneByOne = async (node: NodeView, difference: Difference): Promise<Metadata> => {
    let carried = node
    for (const key of keysOf(difference)) {
      const one = restrict(difference, candidate => candidate === key)
      carried = { ...carried, ...(await write(carried, one)) }
    }
    return carried
  }
  return {
    write,
    dueOf: difference => {
      const open = new Set(keysOf(difference))
      refused = stillOpen(refused, key => open.has(key))
      return restrict(difference, key => !isWaiting(refused, key, wantedValue(difference, key), clock.elapsed()))
    },
    nextTry: () => nextTry(refused, clock.elapsed())
  }
}

/** Labels and report are written in one request and reported as two. */
function partsOf({ labels, annotations }: Difference): readonly (readonly [Target, string])[] {
  const parts = [
    ['labels', Object.keys(labels)],
    ['report', Object.keys(annotations)]
  ] as const
  return parts.filter(([, keys]) => keys.length > 0).map(([target, keys]) => [target, keys.join(', ')])
}

const wantedValue = ({ labels, annotations }: Difference, key: string): string | null =>
  Object.hasOwn(labels, key) ? (labels[key] ?? null) : (annotations[key] ?? null)
