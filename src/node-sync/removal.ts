import type { V1Node } from '../kubernetes/models.ts'
import { CONDITION_TYPE } from './condition.ts'

/** What of ours a Node carries: everything below the prefix, so what older versions wrote too. */
export interface Removal {
  /** Whole keys. */
  readonly labels: readonly string[]
  readonly annotations: readonly string[]
  readonly condition: boolean
}

export const NOTHING: Removal = { labels: [], annotations: [], condition: false }

/** A key is ours by its whole prefix and slash. */
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
