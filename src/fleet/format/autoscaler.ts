import type { Paint } from '../../paint.ts'
import { paragraph as lines } from '../../terminal-layout.ts'
import { type Disagreement, type PoolAdvice, taintText } from '../autoscaler.ts'
import { type PoolKind, poolText } from '../pools.ts'
import { nodesText } from './words.ts'

/** The advice for one pool, in the terms of its provider, then the warnings. */
export function adviceText(advice: PoolAdvice, paint: Paint): string {
  const { pool, nodes, proved } = advice
  const title = `${paint.bold(poolText(pool))}, ${nodesText(nodes)}${proved === nodes ? '' : `, of which ${proved} ${proved === 1 ? 'is' : 'are'} proved`}`
  return `${[title, ...bodyLines(advice, paint), ...warnings(advice, paint)].join('\n')}\n`
}

function bodyLines(advice: PoolAdvice, paint: Paint): readonly string[] {
  if (advice.proved === 0)
    return paragraph('Nothing is proved yet: start one node of this pool, then run this command again.', paint)
  if (Object.keys(advice.labels).length === 0)
    return paragraph('Its nodes have no capability in common, so the pool should declare no label.', paint)
  return WORDS[advice.pool.kind](advice, paint)
}

const paragraph = (text: string, paint: Paint): readonly string[] => lines(text, paint.columns, 2)
const dimmed = (text: string, paint: Paint): readonly string[] => lines(text, paint.columns, 2, paint.dim)

const WORDS: Readonly<Record<PoolKind, (advice: PoolAdvice, paint: Paint) => readonly string[]>> = {
  karpenter: (advice, paint) => [
    ...paragraph(`In the NodePool ${advice.pool.name}, in addition to what it declares:`, paint),
    ...nodePool(advice),
    ...EARLY(paint)
  ],
  eks: (advice, paint) => [
    ...paragraph('Tags of its Auto Scaling group, which only the autoscaler reads:', paint),
    ...Object.entries(advice.labels).map(([key, value]) => `    ${TEMPLATE}/label/${key} = ${value}`),
    ...advice.taints.map(({ key, value, effect }) => `    ${TEMPLATE}/taint/${key} = ${value ?? ''}:${effect ?? ''}`),
    ...startup('Taint of the node group', advice, paint)
  ],
  gke: (advice, paint) => [
    ...labelsAndTaints(advice, paint),
    ...startup('Taint of the node pool', advice, paint),
    ...EARLY(paint)
  ],
  // The admission webhook of AKS refuses (403) to change a label that the pool declares, so the agent could not correct a wrong one.
  aks: (advice, paint) => [
    ...paragraph(
      `Do not declare ${Object.keys(advice.labels).join(', ')} on the pool: AKS lets nobody change such a label, so the agent could not correct a wrong one. Keep one node of the pool (--min-count 1), from which the autoscaler learns its labels, or let workspaces select kubernetes.azure.com/agentpool=${advice.pool.name}.`,
      paint
    ),
    ...startup('Node initialization taint (an ordinary taint of the pool cannot be removed)', advice, paint)
  ],
  label: (advice, paint) => [...labelsAndTaints(advice, paint), ...startup('Taint of new nodes', advice, paint), ...EARLY(paint)],
  none: (advice, paint) => [...labelsAndTaints(advice, paint), ...startup('Taint of new nodes', advice, paint), ...EARLY(paint)]
}

const TEMPLATE = 'k8s.io/cluster-autoscaler/node-template'

const labelsAndTaints = ({ labels, taints }: PoolAdvice, paint: Paint): readonly string[] => [
  ...paragraph('Labels of the pool, in addition to those it declares:', paint),
  ...Object.entries(labels).map(([key, value]) => `    ${key}=${value}`),
  ...(taints.length === 0 ? [] : [...paragraph('Taints of the pool:', paint), ...taints.map(taint => `    ${taintText(taint)}`)])
]

const startup = (where: string, { startupTaint }: PoolAdvice, paint: Paint): readonly string[] => [
  ...paragraph(`${where}, until the agent has written the labels:`, paint),
  `    ${taintText(startupTaint)}`
]

/** A node gets the labels of its pool before the agent has observed it. */
const EARLY = (paint: Paint): readonly string[] =>
  dimmed(
    'New nodes carry these labels before the agent has checked them: without the startup taint, a pod may start too early.',
    paint
  )

/** Values are written as JSON, which is valid YAML and quotes every text from outside. */
const nodePool = ({ labels, taints, startupTaint }: PoolAdvice): readonly string[] => [
  '    spec:',
  '      template:',
  '        spec:',
  '          requirements:',
  ...Object.entries(labels).map(([key, value]) => `            - ${flow({ key, operator: 'In', values: [value] })}`),
  '          startupTaints:',
  `            - ${flow(startupTaint)}`,
  ...(taints.length === 0 ? [] : ['          taints:', ...taints.map(taint => `            - ${flow(taint)}`)])
]

const flow = (value: object): string => JSON.stringify(value, null, 1).replace(/\n */g, ' ')

function warnings({ disagreements, nodes, proved }: PoolAdvice, paint: Paint): readonly string[] {
  const warn = (text: string) => lines(text, paint.columns, 2, line => paint.answer('unknown', line))
  return [
    ...disagreements.flatMap(disagreement => warn(disagreementText(disagreement))),
    ...(proved < nodes && proved > 0
      ? warn(`${nodesText(nodes - proved)} left out: no agent, no recent heartbeat, or not observed since the boot.`)
      : [])
  ]
}

function disagreementText({ capability, can, cannot, open }: Disagreement): string {
  const parts = [
    `${can.length} can (${some(can)})`,
    ...(cannot.length > 0 ? [`${cannot.length} cannot (${some(cannot)})`] : []),
    ...(open.length > 0 ? [`${open.length} unknown (${some(open)})`] : [])
  ]
  return `warning: its nodes disagree on ${capability}: ${parts.join(', ')}. A new node may be either, so the label is left out; split the pool in two.`
}

const NAMES = 3
const some = (names: readonly string[]): string =>
  names.length > NAMES ? `${names.slice(0, NAMES).join(', ')} and ${names.length - NAMES} more` : names.join(', ')
