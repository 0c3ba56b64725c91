import type { Labels } from './labels.ts'

export type DriftKind = 'removed' | 'changed' | 'added'

export interface Drift {
  readonly key: string
  readonly kind: DriftKind
}

/** How the labels with our prefix differ from what they were when they were last right. */
export function driftOf(right: Labels, carried: Labels, prefix: string): readonly Drift[] {
  const ours = [...new Set([...Object.keys(right), ...Object.keys(carried)])].filter(key => key.startsWith(`${prefix}/`))
  return ours.flatMap(key => {
    const [wanted, found] = [right[key], carried[key]]
    if (wanted === found) return []
    const kind: DriftKind = found === undefined ? 'removed' : wanted === undefined ? 'added' : 'changed'
    return [{ key, kind }]
  })
}
