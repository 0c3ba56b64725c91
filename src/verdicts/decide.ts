import type { NodeFacts } from '../facts/observe.ts'
import { judgeCachedCvm } from './cached-cvm.ts'
import { judgeCvm } from './cvm.ts'
import { judgeGpu, judgeGpuCvm } from './gpu.ts'
import { judgePodman } from './podman.ts'
import type { Policy } from './policy.ts'
import { judgePrivileged, wasAsked } from './privileged.ts'
import { judgeSysbox } from './sysbox.ts'
import type { Verdict } from './verdict.ts'

/** Every rule, by the capability that it judges; the names are those of the labels. */
export const rules = {
  cvm: judgeCvm,
  'cached-cvm': judgeCachedCvm,
  gpu: judgeGpu,
  'gpu-cvm': judgeGpuCvm,
  podman: judgePodman,
  sysbox: judgeSysbox,
  privileged: judgePrivileged
} as const satisfies Readonly<Record<string, (facts: NodeFacts, policy: Policy) => Verdict>>

export type Capability = keyof typeof rules
export const CAPABILITIES = Object.keys(rules) as readonly Capability[]

/** `privileged` is there only when the operator opted in. */
export type Verdicts = Readonly<Record<Exclude<Capability, 'privileged'>, Verdict>> & { readonly privileged?: Verdict }

/** What this node can host. Pure. */
export function decide(facts: NodeFacts, policy: Policy): Verdicts {
  const asked = CAPABILITIES.filter(capability => capability !== 'privileged' || wasAsked(policy))
  return Object.fromEntries(asked.map(capability => [capability, rules[capability](facts, policy)])) as unknown as Verdicts
}
