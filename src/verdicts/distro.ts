import type { Distro } from '../facts/distro.ts'
import { atLeast, type Kernel, type Version } from '../facts/kernel.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { versionText } from './kernel.ts'
import { ask, type Judgement, no, unsure, type Verdict, yes } from './verdict.ts'

/** Distributions that cannot host Sysbox with any kernel, and the way out. */
const EXCLUDED: Readonly<Record<string, string>> = {
  cos: 'Use the Ubuntu image type for this node pool (GKE: --image-type UBUNTU_CONTAINERD).',
  talos: 'Use a general-purpose distribution (Ubuntu 22.04 or 24.04) for this node pool.'
}

/** The oldest kernel with which Sysbox's documentation lists a distribution. */
const DOCUMENTED: Readonly<Record<string, Version>> = {
  ubuntu: [0, 0],
  debian: [5, 5],
  flatcar: [5, 10],
  fedora: [5, 12],
  centos: [5, 12],
  rocky: [5, 12],
  almalinux: [5, 12],
  rhel: [5, 12]
}

export const judgeDistro = (facts: NodeFacts): Verdict =>
  ask(facts, 'distribution', 'distro', distro => {
    const wayOut = Object.hasOwn(EXCLUDED, distro.id) ? EXCLUDED[distro.id] : undefined
    if (wayOut !== undefined) return no(`${distro.name} cannot host Sysbox`, wayOut)
    if (distro.id === 'bottlerocket') return judgeBottlerocket(distro, facts.kernel)
    return yes(distro.name, distroCaution(distro, facts.kernel.known ? facts.kernel.value : undefined))
  })

/** Envbox works on Bottlerocket 2026.8.3 with kernel 6.18 (coder/envbox#176). No older version was tested. */
function judgeBottlerocket({ name }: Distro, kernel: NodeFacts['kernel']): Judgement {
  if (!kernel.known) return unsure(`${name}, and its kernel version is unknown: ${kernel.why}`)
  return atLeast(kernel.value, [6, 12])
    ? yes(
        `${name} with kernel ${kernel.value.release}`,
        'on Bottlerocket, Sysbox was tested only with version 2026.8 and kernel 6.18'
      )
    : unsure(
        `${name} with kernel ${kernel.value.release}: Sysbox was not tested on Bottlerocket with a kernel before 6.12`,
        'Use a Bottlerocket variant with kernel 6.12 or newer (aws-k8s-1.33 and later).'
      )
}

function distroCaution(distro: Distro, kernel: Kernel | undefined): string | undefined {
  const { id, version, name } = distro
  if (id === 'ubuntu' && (version === '18.04' || version === '20.04')) return `${name} is past the end of its standard support`
  if (id === 'amzn' && version === '2') return 'Amazon Linux 2 is documented for plain CVMs only'
  const from = id === 'amzn' ? ([6, 1] as const) : Object.hasOwn(DOCUMENTED, id) ? DOCUMENTED[id] : undefined
  if (kernel !== undefined && atLeast(kernel, from ?? [5, 12])) {
    return from === undefined
      ? `Sysbox's documentation does not list ${name}; unlisted distributions should work from kernel 5.12 on`
      : undefined
  }
  return `Sysbox's documentation lists ${from === undefined ? 'other distributions' : name} only from kernel ${versionText(from ?? [5, 12])} on`
}
