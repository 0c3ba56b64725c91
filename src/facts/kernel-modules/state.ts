import type { Attempt } from '../fact.ts'
import { installRuleOf, loadsNothing, type ModprobeRules } from './modprobe.ts'
import type { ModuleFile } from './modules-dep.ts'
import { MODULES, type ModuleName } from './names.ts'
import type { LoadedModule } from './proc-modules.ts'

/** The state of one module, with a short reason. */
export type ModuleState =
  /** Loaded, built in, or registered. */
  | { readonly state: 'present'; readonly because: string }
  /** Not loaded; the kernel would load it on demand. */
  | { readonly state: 'loadable'; readonly because: string }
  /** On the disk, but a setting blocks it. */
  | { readonly state: 'blocked'; readonly because: string }
  | { readonly state: 'absent'; readonly because: string }
  | { readonly state: 'unknown'; readonly because: string }

/** Everything that decides the state of a module. */
export interface ModuleSources {
  /** The lines of /proc/modules, by name; `undefined` if the kernel has no loadable modules. */
  readonly loaded: ReadonlyMap<string, LoadedModule> | undefined
  readonly fileSystems: ReadonlySet<string> | undefined
  readonly sysModules: ReadonlySet<string>
  readonly builtin: Attempt<ReadonlySet<string> | undefined>
  readonly dep: Attempt<ReadonlyMap<string, ModuleFile> | undefined>
  readonly disabled: Attempt<boolean>
  readonly rules: Attempt<ModprobeRules>
  /** Names after `module_blacklist=` on the kernel's command line. */
  readonly kernelBlacklist: Attempt<ReadonlySet<string>>
}

export function judgeModule(sources: ModuleSources, name: ModuleName): ModuleState {
  const present = presence(sources, name)
  if (present !== '') return { state: 'present', because: present }
  if (sources.loaded === undefined) return { state: 'absent', because: 'the kernel has no loadable modules' }
  const file = fileOf(sources, name)
  if (!file.ok) return { state: 'unknown', because: file.why }
  if (file.value === undefined) return { state: 'absent', because: 'not loaded, and the running kernel has no such module' }
  const obstacle = loadObstacle(sources, name, file.value)
  if (!obstacle.ok) return { state: 'unknown', because: `not loaded, and ${obstacle.why}` }
  return obstacle.value === ''
    ? { state: 'loadable', because: `${file.value.path} can be loaded` }
    : { state: 'blocked', because: `not loaded, and ${obstacle.value}` }
}

function presence({ loaded, fileSystems, sysModules, builtin }: ModuleSources, name: ModuleName): string {
  if (loaded?.get(name)?.live) return 'loaded'
  if (fileSystems?.has(name)) return 'registered in /proc/filesystems'
  // A module that is still loading has this directory too; /proc/modules has its state.
  if (sysModules.has(name) && !loaded?.has(name)) return `present in /sys/module/${name}`
  if (builtin.ok && builtin.value?.has(name)) return 'built into the kernel'
  return ''
}

/** The module's file. A module is absent only if modules.builtin could be read too, since some built-in modules are listed only there. */
function fileOf({ dep, builtin }: ModuleSources, name: ModuleName): Attempt<ModuleFile | undefined> {
  if (!dep.ok) return dep
  if (dep.value === undefined) return { ok: false, why: 'there is no modules.dep for the running kernel' }
  const file = dep.value.get(name)
  if (file !== undefined) return { ok: true, value: file }
  if (!builtin.ok) return builtin
  return builtin.value === undefined
    ? { ok: false, why: 'not in modules.dep, and there is no modules.builtin for the running kernel' }
    : { ok: true, value: undefined }
}

/** The first obstacle to loading a module from the disk, or an empty text. */
function loadObstacle(sources: ModuleSources, name: ModuleName, { needs }: ModuleFile): Attempt<string> {
  const { disabled, rules, kernelBlacklist, loaded } = sources
  if (!disabled.ok) return disabled
  if (disabled.value) return found('kernel.modules_disabled is 1: no module can be loaded until the next boot')
  if (!kernelBlacklist.ok) return kernelBlacklist
  if (!rules.ok) return rules
  // Dependencies that are not loaded must be loaded first, so their obstacles count too.
  const needed = [name, ...needs.filter(need => !loaded?.get(need)?.live)]
  const obstacles = needed.map(module => obstacleOf(module, rules.value, kernelBlacklist.value))
  const certain = obstacles.find(obstacle => obstacle.ok && obstacle.value !== '')
  return certain ?? obstacles.find(({ ok }) => !ok) ?? requestObstacle(name, rules.value)
}

const found = (value: string): Attempt<string> => ({ ok: true, value })

/** An obstacle that blocks a module however it is requested. */
function obstacleOf(module: string, rules: ModprobeRules, kernelBlacklist: ReadonlySet<string>): Attempt<string> {
  if (kernelBlacklist.has(module)) return found(`module_blacklist=${module} is on the kernel's command line`)
  const rule = installRuleOf(rules, module)
  if (rule === undefined) return found('')
  if (loadsNothing(rule.command)) return found(`${rule.file} has "install ${rule.name} ${rule.command}"`)
  return { ok: false, why: `${rule.file} runs "${rule.command}" instead of loading ${module}` }
}

/**
 * An obstacle that blocks only one way to request a module: with `blacklist NAME` modprobe ignores the module's aliases, with
 * `alias NAME off` its name. Neither blocks a module that another module depends on.
 */
function requestObstacle(name: ModuleName, { blacklist, off }: ModprobeRules): Attempt<string> {
  const how = MODULES[name]
  const byAlias = blacklist.has(name) ? `${blacklist.get(name)} has "blacklist ${name}"` : ''
  const byName = off.has(name) ? `${off.get(name)} has "alias ${name} off"` : ''
  if (how === 'alias') return found(byAlias)
  if (how === 'name') return found(byName)
  const either = byAlias || byName
  if (how === 'dependency' || either === '') return found('')
  return { ok: false, why: `${either}, which may block it, depending on how it is requested` }
}
