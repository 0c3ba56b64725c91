import type { Metadata } from '../kubernetes/own-node/metadata.ts'
import type { Condition } from './condition.ts'
import type { Taint } from './startup-taint.ts'

/** The parts of the Node that matter here, as the watch showed it last. */
export interface NodeView extends Metadata {
  readonly name: string
  readonly taints: readonly Taint[]
  readonly condition: Condition | undefined
}

/** If the watch is behind for longer (milliseconds), the cluster was restored from a backup and its versions start again lower. */
export const LAG = 30_000

export interface NodeVersions {
  /** Remembers the version of a Node that was read, or that a write returned. */
  readonly saw: (node: Metadata) => void
  /** Whether the watch still shows an older Node than our own writes returned: it would look as if somebody had changed it back. */
  readonly isBehind: (node: Metadata) => boolean
}

/** `elapsed` gives milliseconds. */
export function createNodeVersions(elapsed: () => number): NodeVersions {
  let [uid, newest] = ['', 0n]
  let behindSince: number | undefined
  return {
    saw: node => {
      uid = node.uid
      const version = versionOf(node)
      if (version > newest) newest = version
    },
    isBehind: node => {
      const now = elapsed()
      if (node.uid === uid && versionOf(node) < newest) {
        behindSince ??= now
        if (now - behindSince < LAG) return true
        newest = 0n
      }
      behindSince = undefined
      return false
    }
  }
}

/** A proxy may answer without one. */
const versionOf = ({ resourceVersion }: Metadata): bigint => (/^\d+$/.test(resourceVersion) ? BigInt(resourceVersion) : 0n)
