import { completeText, type HostReader, matchingLines } from '../../host/host.ts'
import { confFiles, isNull } from '../conf-files.ts'
import { Unsure } from '../fact.ts'
import { moduleName } from './names.ts'

/** The part of modprobe's configuration that can block a module. */
export interface ModprobeRules {
  /** `install NAME COMMAND`, in order of precedence. A name may have the wildcards of fnmatch(3). */
  readonly install: readonly InstallRule[]
  /** `blacklist NAME`, with its file: blocks a module that is requested by an alias. */
  readonly blacklist: ReadonlyMap<string, string>
  /** `alias NAME off`, with its file: blocks a module that is requested by its name. */
  readonly off: ReadonlyMap<string, string>
}

export interface InstallRule {
  readonly name: string
  /** modprobe runs the command instead of loading the module. */
  readonly command: string
  readonly file: string
}

/** In order of precedence. kmod 34 reads all of them; older versions skip /usr/lib or /lib, which are one folder on most systems. */
const DIRECTORIES = [
  '/etc/modprobe.d',
  '/run/modprobe.d',
  '/usr/local/lib/modprobe.d',
  '/usr/lib/modprobe.d',
  '/lib/modprobe.d'
] as const

/** Throws `HostError` if a file cannot be read, and `Unsure` if a file may be damaged. */
export async function readModprobeRules(host: HostReader): Promise<ModprobeRules> {
  const texts: (readonly [path: string, text: string])[] = []
  for (const { path, masked } of await confFiles(host, DIRECTORIES)) {
    if (await isNull(host, path)) continue
    const text = await host.read(path)
    // An empty file disables files of the same name in later directories.
    if (text === undefined || (text === '' && masked.length > 0)) continue
    texts.push([path, requireDirectives(path, completeText(path, text))])
  }
  return parseModprobeRules(texts)
}

const DIRECTIVE = /^\s*(#|$|(alias|blacklist|config|include|install|options|remove|softdep|weakdep)\s)/

/** A file that is empty or has an unknown directive may have lost the line that decides. */
function requireDirectives(path: string, text: string): string {
  if (text.trim() === '')
    throw new Unsure(`${path} is empty, so its content may be lost; remove the file or put a comment into it`)
  const unknown = text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .find(line => !DIRECTIVE.test(line))
  if (unknown !== undefined) throw new Unsure(`${path} has a line that is not a modprobe directive`)
  return text
}

/** The directives in modprobe.d files; `files` are paths and texts in the order in which modprobe reads them. */
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

/** The `install` rule that kmod applies to a module: the first with a matching name. */
export const installRuleOf = ({ install }: ModprobeRules, module: string): InstallRule | undefined =>
  install.find(({ name }) => matches(name, module))

/** fnmatch(3), except that a set of characters matches any character. */
function matches(pattern: string, module: string): boolean {
  if (!/[*?[]/.test(pattern)) return pattern === module
  if (pattern.length > 64) return true
  const plain = RegExp.escape(pattern.replaceAll(/\[[^\][]*\]/g, '?').replaceAll(/\*+/g, '*'))
  return new RegExp(`^${plain.replaceAll('\\*', '.*').replaceAll('\\?', '.')}$`).test(module)
}

const DOES_NOTHING = /^(((\/usr)?\/bin\/)?(true|false)|:|exit)(\s[^|&;<>()$`]*)?$/

/** `loadsNothing` is true for shell commands that certainly load no module: `/bin/false`, `/usr/bin/true`, `exit 1 # comment`. */
export const loadsNothing = (command: string): boolean => DOES_NOTHING.test(command.replace(/(^|\s)#.*$/, '').trim())

/**
 * `module_blacklist=a,b` on the kernel's command line blocks every load of these modules, and nothing in /sys shows it. `-` means `_`, and
 * the value may be quoted.
 */
export const parseKernelBlacklist = (cmdline: string): ReadonlySet<string> =>
  new Set(
    [...cmdline.matchAll(/(?:^|\s)"?module[-_]blacklist="?([^\s"]+)/g)].flatMap(([, names]) =>
      (names ?? '').split(',').map(moduleName)
    )
  )
