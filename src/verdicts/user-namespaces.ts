import type { NodeFacts } from '../facts/observe.ts'
import { ask, no, type Verdict, yes } from './verdict.ts'

export const judgeUserNamespaces = (facts: NodeFacts): Verdict =>
  ask(facts, 'user namespaces', 'user-namespaces', ({ compiled, max, unprivileged }) => {
    if (!compiled) return no('the kernel was built without user namespaces', 'Use a kernel with CONFIG_USER_NS.')
    if (!unprivileged) return no('kernel.unprivileged_userns_clone is 0', 'Set the sysctl kernel.unprivileged_userns_clone=1.')
    if (max === 0) {
      return no(
        'user.max_user_namespaces is 0',
        'Raise the sysctl user.max_user_namespaces (65536), or permit the remedy user-namespaces.'
      )
    }
    return yes(`user.max_user_namespaces is ${max}`)
  })
