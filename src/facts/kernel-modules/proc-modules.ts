import { Unsure } from '../fact.ts'

export interface LoadedModule {
  /** `(OE)`: O is out of tree, E unsigned. Empty for a module of the kernel's own. */
  readonly taint: string
  readonly live: boolean
}

/**
 * Lines of /proc/modules, `shiftfs 32768 0 - Live 0x0000000000000000 (OE)`; without CONFIG_MODULE_UNLOAD the count is a `-`. Throws
 * `Unsure` on any other line.
 */
export function parseModules(lines: readonly string[]): ReadonlyMap<string, LoadedModule> {
  const found = new Map<string, LoadedModule>()
  for (const line of lines) {
    const [, name, state, taint] =
      /^(\w+) \d+ (?:-?\d+|-) \S+ (Live|Loading|Unloading) \S+(?: \((\w[\w+-]*)\))?\s*$/.exec(line) ?? []
    if (name === undefined) throw new Unsure('/proc/modules has a line with an unexpected format')
    found.set(name, { taint: taint ?? '', live: state === 'Live' })
  }
  return found
}
