import type { ModuleName } from '../facts/kernel-modules/names.ts'
import type { ModuleState } from '../facts/kernel-modules/state.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { ask, type Judgement, no, unsure, type Verdict, yes } from './verdict.ts'

/** `judgeModulePart`: yes if the module is present, or if the kernel would load it on demand. */
export const judgeModulePart = (facts: NodeFacts, name: ModuleName): Verdict =>
  ask(facts, `module ${name}`, 'kernel-modules', ({ modules }) => judgeModuleState(facts, name, modules[name]))

/** `judgeModuleNow`: yes only if the module is present already, for programs that cannot have it loaded. */
export const judgeModuleNow = (facts: NodeFacts, name: ModuleName): Verdict =>
  ask(facts, `module ${name} now`, 'kernel-modules', ({ modules }) =>
    modules[name].state === 'loadable'
      ? no(`${name} is not loaded`, `Load the module: modprobe ${name}.`)
      : judgeModuleState(facts, name, modules[name])
  )

/**
 * `moduleWayOut` is the way out for a missing module. A kernel without module support cannot load any, so the only way out is another
 * kernel.
 */
export const moduleWayOut = ({ 'kernel-modules': found }: NodeFacts, wayOut: string): string =>
  found.known && !found.value.supported ? OTHER_KERNEL : wayOut

export const OTHER_KERNEL = 'Boot a kernel with loadable modules.'

function judgeModuleState(facts: NodeFacts, name: ModuleName, { state, because }: ModuleState): Judgement {
  const sentence = `${name}: ${because}`
  if (state === 'present' || state === 'loadable') return yes(sentence)
  if (state === 'unknown')
    return unsure(sentence, `Load the module (modprobe ${name}), or let the agent read the modules of the running kernel.`)
  return state === 'blocked'
    ? no(sentence, `Remove the setting that blocks ${name}, and load the module: modprobe ${name}.`)
    : no(sentence, moduleWayOut(facts, `Install the kernel package that contains ${name} (Ubuntu: linux-modules-extra).`))
}
