import { readCommandLine } from './command-line.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { readCount, requireMounted } from './numbers.ts'

export interface ModuleSwitch {
  /** kernel.modules_disabled; a kernel booted with `nomodule` shows it as 1 too. */
  readonly disabled: boolean
}

/** Whether module loading is enabled in the running kernel. */
export const detectModuleSwitch: Detector<ModuleSwitch> = async ({ host }) => {
  await requireMounted(host, 'proc')
  const path = '/proc/sys/kernel/modules_disabled'
  const cmdline = await readCommandLine(host)
  const disabled = await readCount(host, path)
  return { disabled: disabled === undefined || disabled !== 0 || /(^|\s)nomodule(\s|$)/.test(cmdline) }
}

export const moduleSwitchFact = defineFact({
  name: 'module-switch',
  describes: 'whether module loading is disabled (`kernel.modules_disabled`, `nomodule`)',
  detect: detectModuleSwitch,
  format: ({ disabled }) => `module loading is ${disabled ? 'disabled' : 'enabled'}`
})
