import type { V1Node } from '../kubernetes/models.ts'
import { CONDITION_TYPE } from './condition.ts'

/** Everything of ours on a Node: all keys with the prefix, including those of older versions, and the condition. */
export interface Removal {
  /** Whole keys. */
  readonly labels: readonly string[]
  readonly annotations: readonly string[]
  readonly condition: boolean
}

export const NOTHING: Removal = { labels: [], annotations: [], condition: false }

/** Only keys that begin with the whole prefix and a slash are ours. */
export const removalOf = ({ metadata, status }: V1Node, prefix: string): Removal => ({
  labels: ownKeys(metadata?.labels, prefix),
  annotations: ownKeys(metadata?.annotations, prefix),
  condition: status?.conditions?.some(({ type }) => type === CONDITION_TYPE) === true
})

export const ownKeys = (entries: Readonly<Record<string, string>> | undefined, prefix: string): readonly string[] =>
  Object.keys(entries ?? {}).filter(key => key.startsWith(`${prefix}/`))

export const isNothing = ({ labels, annotations, condition }: Removal): boolean =>
  labels.length + annotations.length === 0 && !condition

/** `2 labels (cvm, gpu), the annotation report, the condition WorkspaceNodeReady`; names without the prefix. */
export function removalText({ labels, annotations, condition }: Removal): string {
  return [
    ...some(labels, 'label'),
    ...some(annotations, 'annotation'),
    ...(condition ? [`the condition ${CONDITION_TYPE}`] : [])
  ].join(', ')
}

const some = (keys: readonly string[], noun: string): readonly string[] => {
  const names = keys.map(key => key.slice(key.indexOf('/') + 1))
  if (names.length === 0) return []
  return [names.length === 1 ? `the ${noun} ${names[0]}` : `${names.length} ${noun}s (${names.join(', ')})`]
}
