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

/** What the pod of an example requires of a node. */
interface Requirements {
  /** The labels of berth. */
  readonly labels: readonly (readonly [string, string])[]
  readonly arch: string
  /** Names of extended resources. */
  readonly resources: readonly string[]
}

const ARCH = 'kubernetes.io/arch'

function requirementsOf(example: string): Requirements {
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
 * The declaration of a node pool for these workspaces as YAML: objects for Karpenter, and comments for the Cluster Autoscaler, GKE and
 * AKS. Labels and resources come from `example`, the pod of that kind; `taint` is a key.
 */
export function nodePool(way: Way, example: string, taint: string): string {
  const requirements = requirementsOf(example)
  // Karpenter knows which instances have GPUs, but no other extended resources.
  const unknownToKarpenter = requirements.resources.filter(name => !name.startsWith('nvidia.com/'))
  const overlays = unknownToKarpenter.map(name => overlay(way, name))
  const classes = runsOnBottlerocket(way) ? [bottlerocketClass(nodeClass(way))] : []
  const parts = [introduction(way), karpenter(way, requirements, taint), ...classes, ...overlays, others(requirements, taint)]
  return parts.map(part => `${part.join('\n')}\n`).join('')
}

const runsOnBottlerocket = (way: Way): boolean => BY_NAME.get(way)?.runsOnBottlerocket === true
const nodeClass = (way: Way): string => (runsOnBottlerocket(way) ? `bottlerocket-${way}` : 'default')

const introduction = (way: Way): readonly string[] => [
  `# A node pool for ${way} workspaces. Its nodes start with a taint that berth removes once it has written its labels. Until then`,
  '# no workspace starts there, whatever labels the pool declares.',
  ...(BY_NAME.get(way)?.nodes ?? []).map(line => `# ${line}`)
]

const karpenter = (way: Way, { labels, arch }: Requirements, taint: string): readonly string[] => [
  'apiVersion: karpenter.sh/v1',
  'kind: NodePool',
  'metadata:',
  `  name: workspaces-${way}`,
  'spec:',
  '  limits: # without a limit, Karpenter would go on starting nodes that turn out not to host the workspaces',
  '    cpu: "200"',
  '  template:',
  '    spec:',
  `      nodeClassRef: # ${runsOnBottlerocket(way) ? 'as below, or yours' : 'yours'}, with the image that the nodes start from`,
  '        group: karpenter.k8s.aws',
  '        kind: EC2NodeClass',
  `        name: ${nodeClass(way)}`,
  '      requirements:',
  ...labels.flatMap(([key, value]) => [
    `        - key: ${key} # Karpenter sets it on new nodes, and berth corrects it`,
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
  `# Karpenter starts no node for ${resource} unless a NodeOverlay declares it (feature gate NodeOverlay, alpha).`,
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
  `    ${resource}: "1" # as many as the device plugin offers`
]

const others = ({ labels, resources }: Requirements, taint: string): readonly string[] => [
  '#',
  '# Cluster Autoscaler on AWS: tags of the Auto Scaling group, which describe a new node to the autoscaler. They change no node:',
  '# berth writes the label, and the kubelet sets the taint (--register-with-taints, or `taints` of a managed node group).',
  ...labels.map(([key, value]) => `#   k8s.io/cluster-autoscaler/node-template/label/${key}: "${value}"`),
  `#   k8s.io/cluster-autoscaler/node-template/taint/${taint}: "true:NoSchedule"`,
  ...resources.map(name => `#   k8s.io/cluster-autoscaler/node-template/resources/${name}: "1" # as many as one node has`),
  '#',
  '# GKE: set the label only if the pool may scale to zero; berth corrects it before it removes the taint.',
  '#   gcloud container node-pools create NAME \\',
  `#     --node-taints=${taint}=true:NoSchedule \\`,
  `#     --node-labels=${labels.map(pair => pair.join('=')).join(',')}`,
  '#',
  '# AKS: an initialization taint, because berth cannot remove other taints of the pool. Do not declare the label: AKS refuses every',
  '# change of a declared label, so berth could not set it to "false". Without it, the autoscaler learns the label from a node.',
  '#   az aks nodepool add --name NAME --enable-cluster-autoscaler --min-count 1 --max-count 10 \\',
  `#     --node-init-taints ${taint}=true:NoSchedule`
]
