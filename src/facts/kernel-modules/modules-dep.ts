import { MODULE_NAMES, moduleName } from './names.ts'

/** A module in modules.dep(5). */
export interface ModuleFile {
  /** Path below /lib/modules/RELEASE. */
  readonly path: string
  /** Names of all modules that must be loaded first. */
  readonly needs: readonly string[]
}

/** Matches lines of modules.dep and modules.builtin for one of `MODULES`, by the file before the colon. */
export const MODULE_LINE = new RegExp(
  `^([^:]*/)?(${MODULE_NAMES.map(name => name.replaceAll('_', '[-_]')).join('|')})\\.ko(\\.\\w+)?(:|$)`
)

/** The lines of modules.dep, `kernel/net/netfilter/xt_nat.ko.zst: kernel/net/netfilter/x_tables.ko.zst`, by module name. */
export const parseModulesDep = (lines: readonly string[]): ReadonlyMap<string, ModuleFile> =>
  new Map(
    lines.flatMap(line => {
      const [path = '', rest = ''] = line.split(':')
      const name = nameOf(path)
      const needs = rest.split(/\s+/).flatMap(file => nameOf(file) ?? [])
      return name === undefined ? [] : [[name, { path, needs }] as const]
    })
  )

/** The lines of modules.builtin, `kernel/fs/fuse/fuse.ko`. */
export const parseModulesBuiltin = (lines: readonly string[]): ReadonlySet<string> =>
  new Set(lines.flatMap(line => nameOf(line) ?? []))

function nameOf(path: string): string | undefined {
  const [, name] = /^(.+?)\.ko(\.\w+)?$/.exec(path.split('/').at(-1) ?? '') ?? []
  return name === undefined ? undefined : moduleName(name)
}
