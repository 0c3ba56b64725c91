import { attempt } from './attempt.ts'
import { type Detector, defineFact } from './define-fact.ts'

/** Where kubeadm, EKS and its older images keep the kubelet's configuration. */
const KUBELET_CONFIGS = [
  '/var/lib/kubelet/config.yaml',
  '/etc/kubernetes/kubelet/config.json',
  '/etc/kubernetes/kubelet/kubelet-config.json'
] as const

/**
 * kubelet's `seccompDefault`, which gives every pod a profile unless it says Unconfined. Those files are often for root only,
 * and settings can come by other ways, so `unseen` is an ordinary answer here and not an unknown fact.
 */
export const detectSeccompDefault: Detector<'on' | 'off' | 'unseen'> = async ({ host }) => {
  for (const path of KUBELET_CONFIGS) {
    const lines = await attempt(() => host.lines(path, /^\s*"?seccompDefault"?\s*:/))
    if (!lines.ok || lines.value === undefined) continue
    return lines.value.some(line => /:\s*true\b/.test(line)) ? 'on' : 'off'
  }
  return 'unseen'
}

export const seccompDefaultFact = defineFact({
  name: 'seccomp-default',
  describes: "kubelet's `seccompDefault`, where its configuration can be read",
  detect: detectSeccompDefault,
  format: state => state
})
