import { printable } from '../printable.ts'

/** Who manages the node pool. It decides how labels and taints are declared for the autoscaler. */
export type PoolKind = 'karpenter' | 'gke' | 'eks' | 'aks' | 'label' | 'none'

export interface Pool {
  readonly kind: PoolKind
  /** Empty for Nodes of no pool. */
  readonly name: string
}

/** The labels that name a Node's pool. The first one counts: Karpenter's Nodes in EKS and AKS may carry the provider's labels too. */
const POOL_LABELS: readonly (readonly [label: string, kind: PoolKind])[] = [
  ['karpenter.sh/nodepool', 'karpenter'],
  ['cloud.google.com/gke-nodepool', 'gke'],
  ['eks.amazonaws.com/nodegroup', 'eks'],
  ['alpha.eksctl.io/nodegroup-name', 'eks'],
  ['kubernetes.azure.com/agentpool', 'aks'],
  ['agentpool', 'aks']
]

export const NO_POOL: Pool = { kind: 'none', name: '' }

/** The pool of a Node by its labels; the label that the operator chose takes precedence. */
export function poolOf(labels: Readonly<Record<string, unknown>>, ownLabel: string): Pool {
  const candidates = ownLabel === '' ? POOL_LABELS : [[ownLabel, 'label'] as const, ...POOL_LABELS]
  for (const [label, kind] of candidates) {
    const name = Object.hasOwn(labels, label) ? labels[label] : undefined
    if (typeof name === 'string' && name !== '') return { kind, name: printable(name) }
  }
  return NO_POOL
}

const NAMES: Readonly<Record<PoolKind, string>> = {
  karpenter: 'Karpenter node pool',
  gke: 'GKE node pool',
  eks: 'EKS node group',
  aks: 'AKS node pool',
  label: 'pool',
  none: 'no pool'
}

/** `EKS node group batch`. */
export const poolText = ({ kind, name }: Pool): string => (kind === 'none' ? NAMES.none : `${NAMES[kind]} ${name}`)
