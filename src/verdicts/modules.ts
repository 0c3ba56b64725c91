import type { ModuleName } from '../facts/kernel-modules/names.ts'
import type { ModuleState } from '../facts/kernel-modules/state.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { ask, type Judgement, no, unsure, type Verdict, yes } from './verdict.ts'

/** A kernel module that is there, or that modprobe would load. */
export const judgeModulePart = (facts: NodeFacts, name: ModuleName): Verdict =>
  ask(facts, `module ${name}`, 'kernel-modules', ({ modules }) => judgeModuleState(facts, name, modules[name]))

/** A kernel module that has to be there already, for whoever cannot have it loaded. */
export const judgeModuleNow = (facts: NodeFacts, name: ModuleName): Verdict =>
  ask(facts, `module ${name} now`, 'kernel-modules', ({ modules }) =>
    modules[name].state === 'loadable'
      ? no(`${name} is not loaded`, `Load it: modprobe ${name}.`)
      : judgeModuleState(facts, name, modules[name])
  )

/**
 * What to do about a missing module. A kernel without loadable modules takes none, whatever is installed or run: the only way out is
 * another kernel.
 */
export const moduleWayOut = ({ 'kernel-modules': found }: NodeFacts, wayOut: string): string =>
  found.known && !found.value.supported ? OTHER_KERNEL : wayOut

export const OTHER_KERNEL = 'Boot a kernel with loadable modules.'

function judgeModuleState(facts: NodeFacts, name: ModuleName, { state, because }: ModuleState): Judgement {
  const sentence = `${name}: ${because}`
  if (state === 'present' || state === 'loadable') return yes(sentence)
  if (state === 'unknown')
    return unsure(sentence, `Load it (modprobe ${name}), or let the agent read the modules of the running kernel.`)
  return state === 'blocked'
    ? no(sentence, `Remove what keeps ${name} from being loaded, and load it: modprobe ${name}.`)
    : no(sentence, moduleWayOut(facts, `Install the kernel package that holds ${name} (Ubuntu: linux-modules-extra).`))
}
