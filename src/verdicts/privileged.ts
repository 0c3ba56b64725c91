import type { NodeFacts } from '../facts/observe.ts'
import { defineCapability } from './define-capability.ts'
import type { Policy } from './policy.ts'
import { ask, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

/** Privileged pods are part of a verdict only if the operator set one of their options. */
export const isRequested = (policy: Policy): boolean =>
  policy.privilegedWorkspaces !== 'unset' || policy.workspaceNamespace !== ''

/** Privileged pods with hostPath volumes, where workspaces run: a fact of the cluster, not of the node. */
export function judgePrivilegedPods(facts: NodeFacts, { privilegedWorkspaces, workspaceNamespace }: Policy): Verdict {
  const name = 'privileged pods'
  if (privilegedWorkspaces === 'allowed')
    return leaf(name, [], yes('the operator says that they are allowed (--privileged-workspaces)'))
  if (privilegedWorkspaces === 'denied') {
    return leaf(
      name,
      [],
      no('the operator says that they are denied (--privileged-workspaces)', 'Allow privileged pods where workspaces run.')
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

/** The privileged Docker sidecar: insecure, so only where the operator asked for it. */
export const judgePrivileged = (facts: NodeFacts, policy: Policy): Verdict => ({
  ...judgePrivilegedPods(facts, policy),
  name: 'privileged'
})

export const privileged = defineCapability({
  name: 'privileged',
  describes: 'privileged pods, where the operator asks for the label',
  judge: judgePrivileged,
  workspace: { nodes: ['Any Linux; what decides is that the namespace of the workspaces allows privileged pods.'] },
  optIn: { isRequested, options: '--privileged-workspaces or --workspace-namespace' }
})
