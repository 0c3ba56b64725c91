import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'

/** The level is read only if the operator named the namespace of workspaces; otherwise `asked` is false. */
export type PodSecurity = { readonly asked: false } | { readonly asked: true; readonly level: string }

const detectPodSecurity: Detector<PodSecurity> = async ({ podSecurity }) => {
  if (podSecurity === undefined) return { asked: false }
  if (!podSecurity.ok) throw new Unsure(podSecurity.why)
  return { asked: true, level: podSecurity.value }
}

export const podSecurityFact = defineFact({
  name: 'pod-security',
  describes: "Pod Security level of the workspaces' namespace, if the operator named it",
  detect: detectPodSecurity,
  format: found => (found.asked ? found.level || 'no level enforced' : 'not read')
})
