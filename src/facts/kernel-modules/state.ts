import type { Attempt } from '../fact.ts'
import { installRuleOf, loadsNothing, type ModprobeRules } from './modprobe.ts'
import type { ModuleFile } from './modules-dep.ts'
import { MODULES, type ModuleName } from './names.ts'
import type { LoadedModule } from './proc-modules.ts'

/** What became of one module, with the reason in a few words. */
export type ModuleState =
  /** Works now: loaded, built in, or registered. */
  | { readonly state: 'present'; readonly because: string }
  /** Not there now; the kernel would load it when it is asked for. */
  | { readonly state: 'loadable'; readonly because: string }
  /** On the disk, and something keeps it from being loaded. */
  | { readonly state: 'blocked'; readonly because: string }
  | { readonly state: 'absent'; readonly because: string }
  | { readonly state: 'unknown'; readonly because: string }

/** All that decides on a module, read once. */
export interface ModuleSources {
  /** The lines of /proc/modules, by name; `undefined` when the kernel has no modules. */
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
  if (file.value === undefined) return { state: 'absent', because: 'not loaded, and not among the modules of the running kernel' }
  const obstacle = loadObstacle(sources, name, file.value)
  if (!obstacle.ok) return { state: 'unknown', because: `not loaded, and ${obstacle.why}` }
  return obstacle.value === ''
    ? { state: 'loadable', because: `${file.value.path} can be loaded` }
    : { state: 'blocked', because: `not loaded, and ${obstacle.value}` }
}

function presence({ loaded, fileSystems, sysModules, builtin }: ModuleSources, name: ModuleName): string {
  if (loaded?.get(name)?.live) return 'loaded'
  if (fileSystems?.has(name)) return 'registered in /proc/filesystems'
  // A module that is only being loaded has this directory too, and its state is in /proc/modules.
  if (sysModules.has(name) && !loaded?.has(name)) return `there in /sys/module/${name}`
  if (builtin.ok && builtin.value?.has(name)) return 'built into the kernel'
  return ''
}

/** The module on the disk. It is nowhere only where modules.builtin could be read too: some built-in modules show nowhere else. */
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

/** The first thing that keeps a module on the disk from being loaded, or an empty text. */
function loadObstacle(sources: ModuleSources, name: ModuleName, { needs }: ModuleFile): Attempt<string> {
  const { disabled, rules, kernelBlacklist, loaded } = sources
  if (!disabled.ok) return disabled
  if (disabled.value) return found('kernel.modules_disabled is 1: no module can be loaded until the next boot')
  if (!kernelBlacklist.ok) return kernelBlacklist
  if (!rules.ok) return rules
  // Whatever it needs and is not loaded has to be loaded first, and what keeps that out keeps it out too.
  const wanted = [name, ...needs.filter(need => !loaded?.get(need)?.live)]
  const obstacles = wanted.map(module => obstacleOf(module, rules.value, kernelBlacklist.value))
  const certain = obstacles.find(obstacle => obstacle.ok && obstacle.value !== '')
  return certain ?? obstacles.find(({ ok }) => !ok) ?? askedObstacle(name, rules.value)
}

const found = (value: string): Attempt<string> => ({ ok: true, value })

/** What keeps a module out however it is asked for. */
function obstacleOf(module: string, rules: ModprobeRules, kernelBlacklist: ReadonlySet<string>): Attempt<string> {
  if (kernelBlacklist.has(module)) return found(`module_blacklist=${module} is on the kernel's command line`)
  const rule = installRuleOf(rules, module)
  if (rule === undefined) return found('')
  if (loadsNothing(rule.command)) return found(`${rule.file} says "install ${rule.name} ${rule.command}"`)
  return { ok: false, why: `${rule.file} runs "${rule.command}" in place of loading ${module}` }
}

/**
 * What keeps a module out only when it is asked for in one way: `blacklist NAME` has modprobe ignore the module's aliases, and
 * `alias NAME off` its name. Needed by another module, it is loaded all the same.
 */
function askedObstacle(name: ModuleName, { blacklist, off }: ModprobeRules): Attempt<string> {
  const how = MODULES[name]
  const byAlias = blacklist.has(name) ? `${blacklist.get(name)} says "blacklist ${name}"` : ''
  const byName = off.has(name) ? `${off.get(name)} says "alias ${name} off"` : ''
  if (how === 'alias') return found(byAlias)
  if (how === 'name') return found(byName)
  const either = byAlias || byName
  if (how === 'dependency' || either === '') return found('')
  return { ok: false, why: `${either}, and how it will be asked for is not known` }
}
