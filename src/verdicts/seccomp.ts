import type { NodeFacts } from '../facts/observe.ts'
import { ask, no, type Verdict, yes } from './verdict.ts'

export const judgeSeccomp = (facts: NodeFacts): Verdict =>
  ask(facts, 'seccomp notification', 'seccomp', actions =>
    actions.includes('user_notif')
      ? yes('seccomp has the action user_notif')
      : no(
          'seccomp has no action user_notif, which Sysbox needs to intercept system calls',
          'Use a kernel with CONFIG_SECCOMP_FILTER, 5.0 or newer.'
        )
  )
