import { loadAll } from 'js-yaml'
import { ALL_CAPABILITIES, type WorkspaceName } from '../../verdicts/all.ts'
import type { Workspace } from '../../verdicts/define-capability.ts'
import { bottlerocketClass } from './bottlerocket.ts'

/** Every example workspace with what its nodes need; a variant runs on the nodes of its capability. */
const WORKSPACES = ALL_CAPABILITIES.map(({ name, workspace }) => [name, workspace] as const)
const VARIANTS = WORKSPACES.flatMap(([, workspace]) => (workspace.variants ?? []).map(name => [name as Way, workspace] as const))
const BY_NAME: ReadonlyMap<Way, Workspace> = new Map([...WORKSPACES, ...VARIANTS])

export type Way = WorkspaceName
export const WAYS: readonly Way[] = [...BY_NAME.keys()]

interface Pod {
  readonly kind: string
  readonly spec: {
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly affinity?: { readonly nodeAffinity: { readonly requiredDuringSchedulingIgnoredDuringExecution: NodeSelector } }
    readonly containers: readonly { readonly resources: { readonly limits: Readonly<Record<string, string | number>> } }[]
  }
}

interface NodeSelector {
  readonly nodeSelectorTerms: readonly [{ readonly matchExpressions: readonly Expression[] }]
}

interface Expression {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
}

/** What an example's pod wants of a node. */
interface Wishes {
  /** Those of berth. */
  readonly labels: readonly (readonly [string, string])[]
  readonly arch: string
  /** Names of extended resources. */
  readonly resources: readonly string[]
}

const ARCH = 'kubernetes.io/arch'

function wishesOf(example: string): Wishes {
  const { spec } = loadAll(example).find(object => (object as Pod).kind === 'Pod') as Pod
  const required = spec.affinity?.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
  const wanted = (required?.nodeSelectorTerms[0].matchExpressions ?? []).filter(({ operator }) => operator === 'In')
  const all = [
    ...Object.entries(spec.nodeSelector ?? {}),
    ...wanted.flatMap(({ key, values }) => values.map(value => [key, value] as const))
  ]
  return {
    labels: all.filter(([key]) => key !== ARCH),
    arch: all.find(([key]) => key === ARCH)?.[1] ?? '',
    resources: spec.containers.flatMap(({ resources }) => Object.keys(resources.limits).filter(name => name.includes('/')))
  }
}

/**
 * YAML that tells how a pool of nodes for these workspaces is declared: objects for Karpenter, and in comments what the Cluster
 * Autoscaler, GKE and AKS want. `example` is the pod of that way, from which labels and resources are taken; `taint` is a key.
 */
export function nodePool(way: Way, example: string, taint: string): string {
  const wishes = wishesOf(example)
  // Karpenter knows which instances have GPUs.
  const strange = wishes.resources.filter(name => !name.startsWith('nvidia.com/'))
  const overlays = strange.map(name => overlay(way, name))
  const classes = runsOnBottlerocket(way) ? [bottlerocketClass(nodeClass(way))] : []
  const parts = [introduction(way), karpenter(way, wishes, taint), ...classes, ...overlays, others(wishes, taint)]
  return parts.map(part => `${part.join('\n')}\n`).join('')
}

const runsOnBottlerocket = (way: Way): boolean => BY_NAME.get(way)?.runsOnBottlerocket === true
const nodeClass = (way: Way): string => (runsOnBottlerocket(way) ? `bottlerocket-${way}` : 'default')

const introduction = (way: Way): readonly string[] => [
  `# A pool of nodes for ${way} workspaces. Its nodes start with a taint, which berth takes away once it has looked at them and`,
  '# written its labels: until then no workspace gets there, whatever the pool promised.',
  ...(BY_NAME.get(way)?.nodes ?? []).map(line => `# ${line}`)
]

const karpenter = (way: Way, { labels, arch }: Wishes, taint: string): readonly string[] => [
  'apiVersion: karpenter.sh/v1',
  'kind: NodePool',
  'metadata:',
  `  name: workspaces-${way}`,
  'spec:',
  '  limits: # nodes that turn out not to host them would be started one after the other',
  '    cpu: "200"',
  '  template:',
  '    spec:',
  `      nodeClassRef: # ${runsOnBottlerocket(way) ? 'as below, or yours' : 'yours'}, with the image that the nodes start from`,
  '        group: karpenter.k8s.aws',
  '        kind: EC2NodeClass',
  `        name: ${nodeClass(way)}`,
  '      requirements:',
  ...labels.flatMap(([key, value]) => [
    `        - key: ${key} # Karpenter gives it to new nodes, and berth corrects it`,
    '          operator: In',
    `          values: ["${value}"]`
  ]),
  `        - key: ${ARCH} # of the images in the example`,
  '          operator: In',
  `          values: [${arch}]`,
  '      startupTaints:',
  `        - key: ${taint}`,
  '          value: "true"',
  '          effect: NoSchedule'
]

const overlay = (way: Way, resource: string): readonly string[] => [
  '---',
  `# Karpenter starts no node for ${resource} unless it is told that there will be some (feature gate NodeOverlay, alpha).`,
  'apiVersion: karpenter.sh/v1alpha1',
  'kind: NodeOverlay',
  'metadata:',
  `  name: workspaces-${way}`,
  'spec:',
  '  requirements:',
  '    - key: karpenter.sh/nodepool',
  '      operator: In',
  `      values: [workspaces-${way}]`,
  '  capacity:',
  `    ${resource}: "1" # as many as the device plugin gives out`
]

const others = ({ labels, resources }: Wishes, taint: string): readonly string[] => [
  '#',
  '# Cluster Autoscaler on AWS: tags of the Auto Scaling group, which tell it what a new node will be. They change no node: the',
  '# label is for berth to write, and the taint for kubelet (--register-with-taints, or `taints` of a managed node group).',
  ...labels.map(([key, value]) => `#   k8s.io/cluster-autoscaler/node-template/label/${key}: "${value}"`),
  `#   k8s.io/cluster-autoscaler/node-template/taint/${taint}: "true:NoSchedule"`,
  ...resources.map(name => `#   k8s.io/cluster-autoscaler/node-template/resources/${name}: "1" # as many as one node has`),
  '#',
  '# GKE: the label only where the pool may shrink to no node at all; berth corrects it before the taint goes.',
  '#   gcloud container node-pools create NAME \\',
  `#     --node-taints=${taint}=true:NoSchedule \\`,
  `#     --node-labels=${labels.map(pair => pair.join('=')).join(',')}`,
  '#',
  '# AKS: an initialization taint, since others cannot be taken away from within. Do not give the label to the pool: AKS refuses',
  '# every change of such a label, so berth could not say "false". Without it the autoscaler needs a node to learn from.',
  '#   az aks nodepool add --name NAME --enable-cluster-autoscaler --min-count 1 --max-count 10 \\',
  `#     --node-init-taints ${taint}=true:NoSchedule`
]
