import type { Snapshot } from '../cycle/snapshot.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import type { Metadata } from '../kubernetes/own-node/metadata.ts'
import { patchTaints } from '../kubernetes/own-node/patch.ts'
import { backoff } from '../kubernetes/reconnect-window.ts'
import { createConditionWriter } from './condition-writer.ts'
import { desiredState } from './difference.ts'
import { createEarlierProof, demotion } from './earlier-proof.ts'
import { createEventWriter } from './event-writer.ts'
import { createLabelWriter } from './label-writer.ts'
import type { Labels } from './labels.ts'
import { createNodeVersions, LAG, type NodeView } from './node-view.ts'
import { taintRemoval } from './startup-taint.ts'
import { attemptWrite, type WriterTerms } from './writes.ts'

export interface NodeSyncTerms extends WriterTerms {
  readonly prefix: string
  readonly version: string
  readonly startupTaint: string
  /** Milliseconds. */
  readonly heartbeat: number
  readonly unknownAfter: number
}

/** Makes the Node agree with snapshots. */
export interface NodeSync {
  /**
   * Writes what differs and nothing else. Resolves to the milliseconds after which it wants to be called again, even when nothing
   * changes. An `ApiError` is reported to the listener and tried again.
   */
  readonly reconcile: (snapshot: Snapshot, node: NodeView) => Promise<number>
  /** What the Node should carry, including the labels that an earlier agent proved under this boot. */
  readonly labelsOf: (snapshot: Snapshot) => Labels
  /** The Node carries every label that it should, as the API server said in the watch or in the response to a write. */
  readonly isPublished: () => boolean
  /** Sets labels that were proved under another boot to unknown, until this boot has been observed. */
  readonly demote: (node: NodeView, boot: string) => Promise<void>
}

const SOONEST = 50 // milliseconds

export function createNodeSync(terms: NodeSyncTerms): NodeSync {
  const { connection, prefix, clock, listener } = terms
  const versions = createNodeVersions(clock.elapsed)
  const events = createEventWriter(terms)
  const labelWriter = createLabelWriter(terms, events)
  const conditionWriter = createConditionWriter(terms, terms.heartbeat, versions.saw)
  const earlier = createEarlierProof(terms)
  let failures = 0

  const removeTaint = async (node: NodeView, carried: Metadata): Promise<void> => {
    const patch = taintRemoval(node.taints, terms.startupTaint)
    // The labels must have been read back: the response to our own write is not enough.
    if (patch === undefined || !labelWriter.isPublished() || carried !== node) return
    await attemptWrite(listener, { target: 'taint', what: terms.startupTaint }, async () =>
      versions.saw(await patchTaints(connection, node.name, patch))
    )
  }

  const writeAll = async (snapshot: Snapshot, node: NodeView): Promise<void> => {
    earlier.readOnce(node)
    const carried = await labelWriter.reconcile(desiredState(snapshot, prefix, terms.version, earlier.labelsOf(snapshot)), node)
    versions.saw(carried)
    await conditionWriter.write(snapshot, labelWriter.isPublished(), node)
    await events.writeOutcomes(node.name, snapshot.outcomes)
    await removeTaint(node, carried)
  }

  const reconcile = async (snapshot: Snapshot, node: NodeView): Promise<number> => {
    if (versions.isBehind(node)) return LAG
    versions.saw(node)
    try {
      await writeAll(snapshot, node)
      failures = 0
      return Math.max(SOONEST, Math.min(labelWriter.nextTry() - clock.elapsed(), conditionWriter.untilDue(node)))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failures += 1
      return backoff(failures, terms.random, error.retryAfter * 1000)
    }
  }

  const demote = async (node: NodeView, boot: string): Promise<void> => {
    const changed = demotion(node, boot, prefix)
    if (Object.keys(changed).length === 0) return
    try {
      versions.saw(await labelWriter.write(node, changed))
    } catch (error) {
      // The labels are written anyway when the observation ends.
      if (!(error instanceof ApiError)) throw error
    }
  }

  return { reconcile, labelsOf: earlier.labelsOf, isPublished: labelWriter.isPublished, demote }
}
