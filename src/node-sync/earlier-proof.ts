import type { Snapshot } from '../cycle/snapshot.ts'
import { demoted, heldLabels, type Proven, provenBy } from './held-labels.ts'
import { type LabelPatch, type Labels, labelPatch, labels } from './labels.ts'
import type { NodeView } from './node-view.ts'

/** What an earlier agent proved, by the report that it left on the Node. */
export interface EarlierProof {
  /** Keeps the report of the first Node that it gets: later ones are our own. */
  readonly readOnce: (node: NodeView) => void
  /** The labels of a snapshot, with proven values in place of unreadable ones while the proof counts. */
  readonly labelsOf: (snapshot: Snapshot) => Labels
}

interface ProofTerms {
  readonly prefix: string
  readonly clock: { readonly elapsed: () => number }
  /** How long the proof counts: as long as a fact that we read ourselves (milliseconds). */
  readonly unknownAfter: number
}

export function createEarlierProof({ prefix, clock, unknownAfter }: ProofTerms): EarlierProof {
  const startedAt = clock.elapsed()
  let proven: Proven | undefined
  return {
    readOnce: node => {
      proven ??= provenBy(reportOf(node, prefix))
    },
    labelsOf: snapshot => {
      const counts = clock.elapsed() - startedAt < unknownAfter && proven?.boot === bootOf(snapshot)
      return counts ? heldLabels(snapshot, proven?.labels ?? {}, prefix) : labels(snapshot, prefix)
    }
  }
}

/** The change that sets labels to unknown where the report proved them under another boot; empty where it is of this boot, or missing. */
export function demotion(node: NodeView, boot: string, prefix: string): LabelPatch {
  const before = provenBy(reportOf(node, prefix)).boot
  return before === '' || before === boot ? {} : labelPatch(demoted(node.labels, prefix), node.labels, prefix)
}

const reportOf = ({ annotations }: NodeView, prefix: string): string | undefined => annotations[`${prefix}/report`]

/** No boot is named `unknown`, so an unknown boot never matches a report. */
const bootOf = ({ facts }: Snapshot): string => (facts['boot-id'].known ? facts['boot-id'].value : 'unknown')
