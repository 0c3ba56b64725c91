import { completeText, type HostReader, matchingLines } from '../../host/host.ts'
import { confFiles, isNull } from '../conf-files.ts'
import { Unsure } from '../fact.ts'
import { moduleName } from './names.ts'

/** modprobe's configuration, as far as it can keep a module from being loaded. */
export interface ModprobeRules {
  /** `install NAME COMMAND`, in the order in which they count. A name may have the wildcards of fnmatch(3). */
  readonly install: readonly InstallRule[]
  /** `blacklist NAME`, with the file that says so: stops a module that is asked for by an alias. */
  readonly blacklist: ReadonlyMap<string, string>
  /** `alias NAME off`, with the file: stops a module that is asked for by its name. */
  readonly off: ReadonlyMap<string, string>
}

export interface InstallRule {
  readonly name: string
  /** Runs in place of loading the module. */
  readonly command: string
  readonly file: string
}

/** In order of rank. kmod 34 reads all of them; older ones leave out /usr/lib or /lib, which are one folder on most systems. */
const DIRECTORIES = [
  '/etc/modprobe.d',
  '/run/modprobe.d',
  '/usr/local/lib/modprobe.d',
  '/usr/lib/modprobe.d',
  '/lib/modprobe.d'
] as const

/** Throws `HostError` for a file that cannot be read, and `Unsure` for one that may have lost the line that decides. */
export async function readModprobeRules(host: HostReader): Promise<ModprobeRules> {
  const texts: (readonly [path: string, text: string])[] = []
  for (const { path, masked } of await confFiles(host, DIRECTORIES)) {
    if (await isNull(host, path)) continue
    const text = await host.read(path)
    // An empty file switches off those of its name in the directories after it.
    if (text === undefined || (text === '' && masked.length > 0)) continue
    texts.push([path, requireDirectives(path, completeText(path, text))])
  }
  return parseModprobeRules(texts)
}

const DIRECTIVE = /^\s*(#|$|(alias|blacklist|config|include|install|options|remove|softdep|weakdep)\s)/

/** A file that is empty, or that says what modprobe does not know, may have lost the line that decides. */
function requireDirectives(path: string, text: string): string {
  if (text.trim() === '')
    throw new Unsure(`${path} is empty, and may have lost what it said; remove it, or put a comment into it`)
  const strange = text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .find(line => !DIRECTIVE.test(line))
  if (strange !== undefined) throw new Unsure(`${path} has a line that is no directive of modprobe`)
  return text
}

/** The directives of modprobe.d files that count here, given as path and text in the order in which they are read. */
export function parseModprobeRules(files: readonly (readonly [path: string, text: string])[]): ModprobeRules {
  const install: InstallRule[] = []
  const blacklist = new Map<string, string>()
  const off = new Map<string, string>()
  for (const [file, text] of files) {
    for (const line of matchingLines(file, text.replaceAll('\\\n', ' '), /^\s*(install|blacklist|alias)\s/)) {
      const [directive, name = '', ...rest] = line.trim().split(/\s+/)
      const module = moduleName(name)
      if (directive === 'blacklist') blacklist.set(module, file)
      else if (directive === 'install') install.push({ name: module, command: rest.join(' '), file })
      else if (rest[0] === 'off') off.set(module, file)
    }
  }
  return { install, blacklist, off }
}

/** The `install` line that kmod runs for a module: the first whose name matches. */
export const installRuleOf = ({ install }: ModprobeRules, module: string): InstallRule | undefined =>
  install.find(({ name }) => matches(name, module))

/** fnmatch(3), but that a set of characters is taken for all. */
function matches(pattern: string, module: string): boolean {
  if (!/[*?[]/.test(pattern)) return pattern === module
  if (pattern.length > 64) return true
  const plain = RegExp.escape(pattern.replaceAll(/\[[^\][]*\]/g, '?').replaceAll(/\*+/g, '*'))
  return new RegExp(`^${plain.replaceAll('\\*', '.*').replaceAll('\\?', '.')}$`).test(module)
}

const DOES_NOTHING = /^(((\/usr)?\/bin\/)?(true|false)|:|exit)(\s[^|&;<>()$`]*)?$/

/** Whether a command, which a shell runs, certainly loads nothing: `/bin/false`, `/usr/bin/true`, `exit 1`, each with a comment or not. */
export const loadsNothing = (command: string): boolean => DOES_NOTHING.test(command.replace(/(^|\s)#.*$/, '').trim())

/**
 * `module_blacklist=a,b` on the kernel's command line, which stops a load by anybody with nothing to be seen in /sys; `-` is `_` and
 * quotes may stand.
 */
export const parseKernelBlacklist = (cmdline: string): ReadonlySet<string> =>
  new Set(
    [...cmdline.matchAll(/(?:^|\s)"?module[-_]blacklist="?([^\s"]+)/g)].flatMap(([, names]) =>
      (names ?? '').split(',').map(moduleName)
    )
  )
