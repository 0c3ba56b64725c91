import type { NodeFacts } from '../facts/observe.ts'
import { ask, no, type Verdict, yes } from './verdict.ts'

export const judgeYama = (facts: NodeFacts): Verdict =>
  ask(facts, 'ptrace scope', 'yama', scope => {
    if (scope === 'absent') return yes('there is no Yama')
    return scope < 3
      ? yes(`kernel.yama.ptrace_scope is ${scope}`)
      : no(
          `kernel.yama.ptrace_scope is ${scope}, and cannot be lowered until the next reboot`,
          'Set kernel.yama.ptrace_scope to 2 or lower in sysctl.d and reboot the node.'
        )
  })
