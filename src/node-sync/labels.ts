import type { Snapshot } from '../cycle/snapshot.ts'
import type { Fact } from '../facts/fact.ts'
import type { NodeFacts } from '../facts/observe.ts'
import type { Answer } from '../verdicts/verdict.ts'

export type Labels = Readonly<Record<string, string>>

/** What a label tells besides the verdicts; `undefined` means that the node does not carry it. */
export const factLabels = {
  kernel: ({ kernel }) => (kernel.known ? `${kernel.value.major}.${kernel.value.minor}` : undefined),
  distro: ({ distro }) =>
    distro.known ? labelValue([distro.value.id, distro.value.version].filter(part => part !== '').join('-')) : undefined,
  shiftfs: ({ shiftfs }) => (shiftfs.known ? shiftfs.value.state : 'unknown'),
  'gpu-hardware': ({ gpus }) =>
    known(gpus, found => GPU_ORDER.find(vendor => found.some(gpu => gpu.vendor === vendor)) ?? 'none'),
  'gpu-driver': ({ 'nvidia-driver': driver }) =>
    driver.known && driver.value !== 'none' ? labelValue(driver.value.version) : undefined,
  machine: ({ machine }) => known(machine, ({ kind }) => kind)
} as const satisfies Readonly<Record<string, (facts: NodeFacts) => string | undefined>>

/** A node with GPUs of two makers is worth more by the first of these. */
const GPU_ORDER = ['nvidia', 'amd', 'intel'] as const

const known = <T>(fact: Fact<T>, value: (found: T) => string): string => (fact.known ? value(fact.value) : 'unknown')

/** What a label says for each answer. */
export const VALUES: Readonly<Record<Answer, string>> = { yes: 'true', no: 'false', unknown: 'unknown' }

/** All labels that the node should carry, by full key. */
export function labels({ facts, verdicts }: Pick<Snapshot, 'facts' | 'verdicts'>, prefix: string): Labels {
  const fromVerdicts = Object.entries(verdicts).map(([capability, { answer }]) => [capability, VALUES[answer as Answer]] as const)
  const all = [...fromVerdicts, ...Object.entries(factValues(facts))]
  return Object.fromEntries(all.map(([name, value]) => [`${prefix}/${name}`, value]))
}

/** The labels of facts, by their names without the prefix. */
export const factValues = (facts: NodeFacts): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(factLabels).flatMap(([name, value]) => {
      const told = value(facts)
      return told === undefined ? [] : [[name, told]]
    })
  )

/** Kubernetes' syntax: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends. */
export const labelValue = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')

export type LabelPatch = Readonly<Record<string, string | null>>

/**
 * What to send so that a node carries these labels: only what differs, `null` for a key below our prefix that we do not have (any more).
 * A key is ours by its whole prefix and slash; every other key is somebody else's.
 */
export function labelPatch(wanted: Labels, carried: Labels, prefix: string): LabelPatch {
  const changed = Object.entries(wanted).filter(([key, value]) => carried[key] !== value)
  const retired = Object.keys(carried).filter(key => key.startsWith(`${prefix}/`) && !Object.hasOwn(wanted, key))
  return Object.fromEntries([...changed, ...retired.map(key => [key, null] as const)])
}
