import type { ModuleName, ModuleState } from '../facts/kernel-modules.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { anyOf, ask, type Judgement, no, unsure, type Verdict, yes } from './verdict.ts'

/** A kernel module that is there, or that modprobe would load. */
export const judgeModulePart = (facts: NodeFacts, name: ModuleName): Verdict =>
  ask(facts, `module ${name}`, 'kernel-modules', ({ modules }) => judgeModuleState(name, modules[name]))

/** Docker inside the workspace makes NAT rules by one of the two. */
export const judgeNetfilter = (facts: NodeFacts): Verdict =>
  anyOf('module nf_tables or ip_tables', [judgeModulePart(facts, 'nf_tables'), judgeModulePart(facts, 'ip_tables')])

function judgeModuleState(name: ModuleName, { state, because }: ModuleState): Judgement {
  const sentence = `${name}: ${because}`
  if (state === 'present' || state === 'loadable') return yes(sentence)
  if (state === 'unknown')
    return unsure(sentence, `Load it (modprobe ${name}), or let the agent read the modules of the running kernel.`)
  return no(
    sentence,
    `Install the kernel package that holds ${name} (Ubuntu: linux-modules-extra), and take away what keeps it from being loaded.`
  )
}
