import type { Snapshot } from '../cycle/snapshot.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import { backoff } from '../kubernetes/backoff.ts'
import type { Metadata } from '../kubernetes/own-node/metadata.ts'
import { patchTaints } from '../kubernetes/own-node/patch.ts'
import { createConditionWriter } from './condition-writer.ts'
import { wish } from './difference.ts'
import { createEventWriter } from './event-writer.ts'
import { demoted, heldLabels, type Proven, provenBy } from './hold.ts'
import { createLabelWriter } from './label-writer.ts'
import { type Labels, labelPatch, labels } from './labels.ts'
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
  /** What the Node should carry, including what is kept from before. */
  readonly labelsOf: (snapshot: Snapshot) => Labels
  /** Every label is on the Node as it should be, as the API server said in the watch or after a write. */
  readonly isPublished: () => boolean
  /** Turns what was proved under another boot than this one to unknown, for the time until this boot was observed. */
  readonly demote: (node: NodeView, boot: string) => Promise<void>
}

const SOONEST = 50 // milliseconds

export function createNodeSync(terms: NodeSyncTerms): NodeSync {
  const { connection, prefix, clock, listener } = terms
  const began = clock.elapsed()
  const versions = createNodeVersions(clock.elapsed)
  const events = createEventWriter(terms)
  const labelWriter = createLabelWriter(terms, events)
  const conditionWriter = createConditionWriter(terms, terms.heartbeat, versions.saw)
  /** What the report said when we first saw the Node, before we wrote our own. */
  let proven: Proven | undefined
  let failures = 0

  const labelsOf = (snapshot: Snapshot): Labels => {
    // What an earlier agent proved under this boot counts as long as what we remember ourselves.
    const isYoung = clock.elapsed() - began < terms.unknownAfter
    const isProven = isYoung && proven?.boot === liveBoot(snapshot)
    return isProven ? heldLabels(snapshot, proven?.labels ?? {}, prefix) : labels(snapshot, prefix)
  }

  const removeTaint = async (node: NodeView, carried: Metadata): Promise<void> => {
    const patch = taintRemoval(node.taints, terms.startupTaint)
    // Only on a Node that was read with all labels on it, which the answer to our own write is not.
    if (patch === undefined || !labelWriter.isPublished() || carried !== node) return
    await attemptWrite(listener, { target: 'taint', what: terms.startupTaint }, async () =>
      versions.saw(await patchTaints(connection, node.name, patch))
    )
  }

  const writeAll = async (snapshot: Snapshot, node: NodeView): Promise<void> => {
    proven ??= provenBy(reportOf(node, prefix))
    const carried = await labelWriter.reconcile(wish(snapshot, prefix, terms.version, labelsOf(snapshot)), node)
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
    const before = provenBy(reportOf(node, prefix)).boot
    if (before === '' || before === boot) return
    const changed = labelPatch(demoted(node.labels, prefix), node.labels, prefix)
    if (Object.keys(changed).length === 0) return
    try {
      versions.saw(await labelWriter.write(node, changed))
    } catch (error) {
      // The observation will end, and what it finds is written then.
      if (!(error instanceof ApiError)) throw error
    }
  }

  return { reconcile, labelsOf, isPublished: labelWriter.isPublished, demote }
}

const reportOf = ({ annotations }: NodeView, prefix: string): string | undefined => annotations[`${prefix}/report`]

const liveBoot = ({ facts }: Snapshot): string => (facts['boot-id'].known ? facts['boot-id'].value : 'unknown')
