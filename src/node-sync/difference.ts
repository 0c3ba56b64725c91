import type { Snapshot } from '../cycle/snapshot.ts'
import type { Metadata } from '../kubernetes/own-node/metadata.ts'
import { type LabelPatch, type Labels, labelPatch, labels } from './labels.ts'
import { reportAnnotation } from './report.ts'

/** What the Node should carry of ours. */
export interface DesiredState {
  readonly prefix: string
  readonly labels: Labels
  readonly annotation: { readonly key: string; readonly value: string }
}

export const desiredState = (
  snapshot: Snapshot,
  prefix: string,
  version: string,
  wanted: Labels = labels(snapshot, prefix)
): DesiredState => ({
  prefix,
  labels: wanted,
  annotation: { key: `${prefix}/report`, value: reportAnnotation(snapshot, version) }
})

/** The changes that bring a Node to the desired state; `null` removes a key. */
export interface Difference {
  readonly labels: LabelPatch
  readonly annotations: Readonly<Record<string, string>>
}

export function differences(
  { prefix, labels, annotation }: DesiredState,
  carried: Pick<Metadata, 'labels' | 'annotations'>
): Difference {
  const { key, value } = annotation
  return {
    labels: labelPatch(labels, carried.labels, prefix),
    annotations: carried.annotations[key] === value ? {} : { [key]: value }
  }
}

export const keysOf = ({ labels, annotations }: Difference): readonly string[] => [
  ...Object.keys(labels),
  ...Object.keys(annotations)
]

/** The part of a difference whose keys are wanted. */
export const restrict = ({ labels, annotations }: Difference, isWanted: (key: string) => boolean): Difference => ({
  labels: Object.fromEntries(Object.entries(labels).filter(([key]) => isWanted(key))),
  annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => isWanted(key)))
})
