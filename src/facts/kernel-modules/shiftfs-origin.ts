import { installRuleOf } from './modprobe.ts'
import type { ModuleSources } from './state.ts'

/** The origin of the shiftfs module. */
export interface ShiftfsOrigin {
  readonly registered: boolean
  /** `undefined` if the origin is unknown. */
  readonly outOfTree: boolean | undefined
  /** Why shiftfs must not be installed: a blacklist, or one that cannot be read; empty if nothing blocks it. */
  readonly blockedBy: string
}

export function judgeShiftfsOrigin(sources: ModuleSources): ShiftfsOrigin {
  const line = sources.loaded?.get('shiftfs')
  return {
    registered: line?.live === true || sources.fileSystems?.has('shiftfs') === true,
    outOfTree: isOutOfTree(sources),
    blockedBy: blockedBy(sources)
  }
}

function isOutOfTree({ loaded, fileSystems, dep, builtin }: ModuleSources): boolean | undefined {
  const line = loaded?.get('shiftfs')
  if (line !== undefined) return line.taint.includes('O')
  if (builtin.ok && builtin.value?.has('shiftfs')) return false
  if (fileSystems?.has('shiftfs')) return undefined
  const file = dep.ok ? dep.value?.get('shiftfs') : undefined
  // The kernel's own modules are in kernel/; those in updates/, extra/ and other folders were added.
  return file === undefined ? undefined : !file.path.startsWith('kernel/')
}

function blockedBy({ rules, kernelBlacklist }: ModuleSources): string {
  if (!kernelBlacklist.ok) return kernelBlacklist.why
  if (kernelBlacklist.value.has('shiftfs')) return "shiftfs is blacklisted on the kernel's command line (module_blacklist=)"
  if (!rules.ok) return rules.why
  const { blacklist, off } = rules.value
  const file = installRuleOf(rules.value, 'shiftfs')?.file ?? blacklist.get('shiftfs') ?? off.get('shiftfs')
  return file === undefined ? '' : `shiftfs is blacklisted in ${file}`
}
