import type { HostReader } from '../../host/host.ts'
import { attempt } from '../attempt.ts'
import { readCommandLine } from '../command-line.ts'
import { type Detector, defineFact } from '../define-fact.ts'
import { readKernel } from '../kernel.ts'
import { readCount, requireMounted } from '../numbers.ts'
import { parseKernelBlacklist, readModprobeRules } from './modprobe.ts'
import { MODULE_LINE, parseModulesBuiltin, parseModulesDep } from './modules-dep.ts'
import { MODULE_NAMES, type ModuleName } from './names.ts'
import { parseModules } from './proc-modules.ts'
import { judgeShiftfsOrigin, type ShiftfsOrigin } from './shiftfs-origin.ts'
import { judgeModule, type ModuleSources, type ModuleState } from './state.ts'

export interface KernelModules {
  /** Whether the kernel can load modules: `/proc/modules` exists. */
  readonly supported: boolean
  readonly modules: Readonly<Record<ModuleName, ModuleState>>
  /** A shiftfs from outside the kernel tree is a risk except on Ubuntu. */
  readonly shiftfs: ShiftfsOrigin
}

export const detectKernelModules: Detector<KernelModules> = async ({ host }) => {
  await requireMounted(host, 'proc')
  await requireMounted(host, 'sys')
  return judgeModules(await readModuleSources(host))
}

/** /proc/filesystems lists file systems that are loaded or built in. */
const FILE_SYSTEM_LINE = /^(nodev)?\t(fuse|overlay|shiftfs)$/

async function readModuleSources(host: HostReader): Promise<ModuleSources> {
  const directory = `/lib/modules/${(await readKernel(host)).release}`
  const lines = async <T>(name: string, parse: (lines: readonly string[]) => T): Promise<T | undefined> => {
    const found = await host.lines(`${directory}/${name}`, MODULE_LINE)
    return found && parse(found)
  }
  const [loaded, fileSystems, sysModules, builtin, dep, disabled, rules, kernelBlacklist] = await Promise.all([
    // All modules are read, since dependencies can have any name.
    host.lines('/proc/modules', /./),
    host.lines('/proc/filesystems', FILE_SYSTEM_LINE),
    sysModuleNames(host),
    attempt(() => lines('modules.builtin', parseModulesBuiltin)),
    attempt(() => lines('modules.dep', parseModulesDep)),
    attempt(async () => (await readCount(host, '/proc/sys/kernel/modules_disabled')) !== 0),
    attempt(() => readModprobeRules(host)),
    attempt(async () => parseKernelBlacklist(await readCommandLine(host)))
  ])
  return {
    loaded: loaded && parseModules(loaded),
    fileSystems: fileSystems && new Set(fileSystems.map(line => line.split('\t')[1] ?? '')),
    sysModules,
    builtin,
    dep,
    disabled,
    rules,
    kernelBlacklist
  }
}

async function sysModuleNames(host: HostReader): Promise<ReadonlySet<string>> {
  const present = await Promise.all(MODULE_NAMES.map(async name => (await host.stat(`/sys/module/${name}`)) !== undefined))
  return new Set(MODULE_NAMES.filter((_, index) => present[index]))
}

/** `judgeModules` derives the state of every module from the sources. */
export function judgeModules(sources: ModuleSources): KernelModules {
  const states = MODULE_NAMES.map(name => [name, judgeModule(sources, name)])
  return {
    supported: sources.loaded !== undefined,
    modules: Object.fromEntries(states) as Record<ModuleName, ModuleState>,
    shiftfs: judgeShiftfsOrigin(sources)
  }
}

export const kernelModulesFact = defineFact({
  name: 'kernel-modules',
  describes: 'state of the kernel modules that workspaces need: present, loadable, blocked or absent',
  detect: detectKernelModules,
  format: ({ supported, modules }) =>
    supported
      ? Object.entries(Object.groupBy(Object.entries(modules), ([, { state }]) => state))
          .map(([state, found]) => `${state}: ${found.map(([name]) => name).join(', ')}`)
          .join('; ')
      : 'the kernel has no loadable modules'
})
