import type { NodeFacts } from '../facts/observe.ts'
import type { UserNamespaces } from '../facts/user-namespaces.ts'
import { ask, type Judgement, no, type Verdict, yes } from './verdict.ts'

/** Whether an ordinary user of the node can make user namespaces. */
export const judgeUserNamespaces = (facts: NodeFacts): Verdict =>
  ask(facts, 'user namespaces', 'user-namespaces', found =>
    found.compiled && !found.unprivileged
      ? no('kernel.unprivileged_userns_clone is 0', 'Set the sysctl kernel.unprivileged_userns_clone=1.')
      : judgeLimit(found)
  )

/** Whether root of the node can make user namespaces, as a container runtime does: kernel.unprivileged_userns_clone does not matter. */
export const judgeUserNamespaceLimit = (facts: NodeFacts): Verdict => ask(facts, 'user namespaces', 'user-namespaces', judgeLimit)

function judgeLimit({ compiled, max }: UserNamespaces): Judgement {
  if (!compiled) return no('the kernel was built without user namespaces', 'Use a kernel with CONFIG_USER_NS.')
  return max === 0
    ? no(
        'user.max_user_namespaces is 0',
        'Raise the sysctl user.max_user_namespaces (65536), or permit the remedy user-namespaces.'
      )
    : yes(`user.max_user_namespaces is ${max}`)
}
