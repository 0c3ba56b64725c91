import { join } from 'node:path'
import type { FactName } from '../../src/facts/observe.ts'
import type { Verdict } from '../../src/verdicts/verdict.ts'
import { inPod, mountedBy } from './in-pod.ts'
import { machines } from './machines.ts'
import { type Machine, playedHost } from './played.ts'
import { GOLDENS } from './recordings.ts'
import { type Sight, see, unlike } from './sight.ts'

/** What `npm run golden` writes for docs/security.md: the rows of its table. */
export const SEEN = join(GOLDENS, 'agent-sees.json')

/** The node images that most clusters have, by the machine that is recorded of each. */
const IMAGES = {
  'gke-cos-6.6': 'GKE, Container-Optimized OS',
  'gke-ubuntu-22.04': 'GKE, Ubuntu 22.04',
  'eks-al2023': 'EKS, Amazon Linux 2023',
  'bottlerocket-raised': 'EKS, Bottlerocket',
  'aks-ubuntu-22.04': 'AKS, Ubuntu 22.04',
  'aks-ubuntu-24.04': 'AKS, Ubuntu 24.04',
  'aks-azure-linux-3': 'AKS, Azure Linux 3'
} as const

/** What of a fact only root can read. */
const HIDDEN: Partial<Readonly<Record<FactName, string>>> = {
  apparmor: 'the list of loaded profiles',
  'apparmor-userns': 'whether user namespaces are restricted',
  lockdown: 'the level',
  'seccomp-default': "the kubelet's configuration"
}

/** Image, hidden facts, labels that are unknown by them, and what helps, as cells of a table; as JSON, a row a line. */
export async function agentSees(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(IMAGES).map(async ([name, image]) => [image, ...(await cells(machines[name] as Machine))])
  )
  return `[\n${rows.map(row => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`
}

async function cells(machine: Machine): Promise<readonly string[]> {
  const pod = await inPod(machine, mountedBy('base/daemonset.yaml'))
  const [root, sight] = await Promise.all([see(playedHost(machine), machine), see(pod.host, pod.machine)])
  const hidden = unlike(root, sight)
  if (hidden.length === 0) return ['nothing', 'none', '']
  const labels = Object.entries(sight.verdicts).flatMap(([label, verdict]) => {
    const parts = hangingOn(verdict, hidden)
    return parts.length === 0 ? [] : [{ label, helps: parts.flatMap(part => part.wayOut) }]
  })
  return [
    hidden.map(fact => `\`${fact}\`: ${hiddenPart(fact)}`).join('; '),
    labels.map(({ label }) => `\`${label}\`${asRoot(root, label)}`).join(', ') || 'none',
    [...new Set(labels.flatMap(({ helps }) => helps))].join(' ')
  ]
}

const asRoot = ({ verdicts }: Sight, label: string): string => {
  const answer = verdicts[label as keyof typeof verdicts]?.answer
  return answer === 'unknown' ? ' (to root too)' : ` (root would say ${answer})`
}

/** The parts of an unknown verdict that are unknown themselves and rest on one of the facts. */
const hangingOn = (verdict: Verdict, facts: readonly FactName[]): readonly Verdict[] => {
  if (verdict.answer !== 'unknown') return []
  return verdict.facts.some(fact => facts.includes(fact)) ? [verdict] : verdict.parts.flatMap(part => hangingOn(part, facts))
}

function hiddenPart(fact: FactName): string {
  const hidden = HIDDEN[fact]
  if (hidden === undefined) throw new Error(`HIDDEN of agent-sees.ts does not say what of "${fact}" only root can read`)
  return hidden
}
