import type { NodeFacts } from '../facts/observe.ts'
import { defineCapability } from './define-capability.ts'
import type { Policy } from './policy.ts'
import { ask, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

/** Privileged pods are part of a verdict only if the operator set one of their options. */
export const isRequested = (policy: Policy): boolean =>
  policy.privilegedWorkspaces !== 'unset' || policy.workspaceNamespace !== ''

/** Whether privileged pods with hostPath volumes are allowed in the namespace of workspaces: a property of the cluster, not of the node. */
export function judgePrivilegedPods(facts: NodeFacts, { privilegedWorkspaces, workspaceNamespace }: Policy): Verdict {
  const name = 'privileged pods'
  if (privilegedWorkspaces === 'allowed') return leaf(name, [], yes('privileged pods are allowed by --privileged-workspaces'))
  if (privilegedWorkspaces === 'denied') {
    return leaf(
      name,
      [],
      no('privileged pods are denied by --privileged-workspaces', 'Allow privileged pods where workspaces run.')
    )
  }
  return ask(facts, name, 'pod-security', found => {
    if (!found.asked) return unsure(`the Pod Security level of namespace ${workspaceNamespace} was not read`)
    const { level } = found
    if (level === 'privileged') return yes(`namespace ${workspaceNamespace} enforces the Pod Security level privileged`)
    if (level === '') {
      return yes(
        `namespace ${workspaceNamespace} enforces no Pod Security level`,
        `namespace ${workspaceNamespace} enforces no Pod Security level of its own: the cluster's default, which cannot be read, may be stricter`
      )
    }
    return no(
      `namespace ${workspaceNamespace} enforces the Pod Security level ${level}`,
      `Label the namespace: kubectl label namespace ${workspaceNamespace} pod-security.kubernetes.io/enforce=privileged --overwrite`
    )
  })
}

/** The privileged Docker sidecar is insecure, so it is judged only if the operator asked for it. */
export const judgePrivileged = (facts: NodeFacts, policy: Policy): Verdict => ({
  ...judgePrivilegedPods(facts, policy),
  name: 'privileged'
})

export const privileged = defineCapability({
  name: 'privileged',
  describes: 'privileged pods; only if the operator asks for the label',
  judge: judgePrivileged,
  workspace: { nodes: ['Any Linux image; the namespace of the workspaces must allow privileged pods.'] },
  optIn: { isRequested, options: '--privileged-workspaces or --workspace-namespace' }
})
