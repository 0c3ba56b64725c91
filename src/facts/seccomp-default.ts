import { attempt } from './attempt.ts'
import { type Detector, defineFact } from './define-fact.ts'

/** The kubelet's configuration of kubeadm, EKS and older EKS images. */
const KUBELET_CONFIGS = [
  '/var/lib/kubelet/config.yaml',
  '/etc/kubernetes/kubelet/config.json',
  '/etc/kubernetes/kubelet/kubelet-config.json'
] as const

/**
 * kubelet's `seccompDefault` gives every pod a seccomp profile unless the pod sets Unconfined. Often only root can read these files, and
 * the setting can come from elsewhere, so `unseen` is an ordinary value and not an unknown fact.
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
  describes: "kubelet's `seccompDefault`, if its configuration can be read",
  detect: detectSeccompDefault,
  format: state => (state === 'unseen' ? "the kubelet's configuration cannot be read" : state)
})
