import type { Metadata } from '../kubernetes/own-node/metadata.ts'
import { CAPABILITIES } from '../verdicts/all.ts'
import { afterRepair, NO_CONFLICTS, paused } from './conflicts.ts'
import { type DesiredState, differences, keysOf, restrict } from './difference.ts'
import { driftOf } from './drift.ts'
import type { EventWriter } from './event-writer.ts'
import { capabilityChange, driftEvent } from './events.ts'
import type { LabelPatch, Labels } from './labels.ts'
import { createMetadataWriter } from './metadata-writer.ts'
import type { NodeView } from './node-view.ts'
import type { WriterTerms } from './writes.ts'

/** Keeps labels and report up to date, and repairs what somebody else changed. */
export interface LabelWriter {
  /** Writes the differences and creates the events about them. Resolves to what the Node carries then. Throws `ApiError`. */
  readonly reconcile: (desired: DesiredState, node: NodeView) => Promise<Metadata>
  /** The Node carries every label that it should, as the API server said in the watch or in the response to a write. */
  readonly isPublished: () => boolean
  /** Writes labels outside of the desired state. */
  readonly write: (node: NodeView, labels: LabelPatch) => Promise<Metadata>
  /** When the next key is tried that was refused or is paused after a conflict (milliseconds). */
  readonly nextTry: () => number
}

export function createLabelWriter(terms: WriterTerms, events: EventWriter): LabelWriter {
  const { clock, listener } = terms
  const metadata = createMetadataWriter(terms)
  let conflicts = NO_CONFLICTS
  let published = false
  /** Our labels when they were last right, and the uid of their Node: on a Node that was created again, missing labels are no drift. */
  let right: { readonly uid: string; readonly labels: Labels } | undefined

  const settle = ({ labels }: DesiredState, carried: Metadata, isAll: boolean): void => {
    published = isAll
    const kept = Object.entries(labels).filter(([key, value]) => carried.labels[key] === value)
    right = { uid: carried.uid, labels: Object.fromEntries(kept) }
  }

  const reconcile = async (desired: DesiredState, node: NodeView): Promise<Metadata> => {
    const now = clock.elapsed()
    const before = right?.uid === node.uid ? right.labels : undefined
    const whole = differences(desired, node)
    const pausedKeys = paused(conflicts, now).keys
    const due = restrict(metadata.dueOf(whole), key => !pausedKeys.has(key))
    if (keysOf(due).length === 0) {
      settle(desired, node, keysOf(whole).length === 0)
      listener.contested(pausedKeys.size, [])
      return node
    }
    const carried = await metadata.write(node, due)
    settle(desired, carried, keysOf(differences(desired, carried)).length === 0)
    const drift = before === undefined ? [] : driftOf(before, node.labels, desired.prefix)
    // A refused label is not repaired.
    const repairs = drift.filter(({ key }) => Object.hasOwn(due.labels, key) && carried.labels[key] === desired.labels[key])
    for (const repair of repairs) listener.repaired(repair, (clock.elapsed() - now) / 1000)
    const keys = repairs.map(({ key }) => key)
    countRepairs(keys)
    const change = capabilityChange(before ?? node.labels, carried.labels, CAPABILITIES, desired.prefix)
    await events.write(
      node.name,
      [driftEvent(keys), change].filter(event => event !== undefined)
    )
    return carried
  }

  const countRepairs = (keys: readonly string[]): void => {
    const after = afterRepair(conflicts, keys, clock.elapsed())
    conflicts = after.conflicts
    listener.contested(paused(conflicts, clock.elapsed()).keys.size, after.begun)
  }

  return {
    reconcile,
    isPublished: () => published,
    write: (node, labels) => metadata.write(node, { labels, annotations: {} }),
    nextTry: () => Math.min(metadata.nextTry(), paused(conflicts, clock.elapsed()).until)
  }
}
