import { completeText, HostError, type HostReader, matchingLines } from '../host/host.ts'
import { type Attempt, type Detector, Unsure } from './fact.ts'
import { readCommandLine, readKernel } from './kernel.ts'
import { readCount, requireMounted } from './numbers.ts'

/** The modules that a workspace can need. */
export const MODULES = ['bridge', 'fuse', 'ip_tables', 'nf_conntrack', 'nf_tables', 'overlay', 'shiftfs', 'veth'] as const
export type ModuleName = (typeof MODULES)[number]

/** File systems show in /proc/filesystems too, and there also when they are built in. */
const FILE_SYSTEMS: readonly ModuleName[] = ['fuse', 'overlay', 'shiftfs']

/** What became of one module, with the reason in a few words. */
export type ModuleState =
  /** Works now: loaded, built in, or registered. */
  | { readonly state: 'present'; readonly because: string }
  /** Not there now; modprobe would load it. */
  | { readonly state: 'loadable'; readonly because: string }
  | { readonly state: 'absent'; readonly because: string }
  | { readonly state: 'unknown'; readonly because: string }

export interface KernelModules {
  /** Whether the kernel can load modules at all: `/proc/modules` is there. */
  readonly supported: boolean
  readonly modules: Readonly<Record<ModuleName, ModuleState>>
  /** Where shiftfs comes from; a module from outside the kernel tree is dangerous except on Ubuntu. */
  readonly shiftfs: ShiftfsOrigin
}

export interface ShiftfsOrigin {
  readonly registered: boolean
  /** `undefined` when it cannot be told. */
  readonly outOfTree: boolean | undefined
  /** Why it must not be installed: a blacklist, or one that cannot be read; empty when nothing is against it. */
  readonly blockedBy: string
}

/** All that decides on a module, read once. */
export interface ModuleSources {
  /** The module lines of /proc/modules, by name; `undefined` when the kernel has no modules. */
  readonly loaded: ReadonlyMap<string, LoadedModule> | undefined
  readonly fileSystems: ReadonlySet<string> | undefined
  readonly sysModules: ReadonlySet<string>
  readonly builtin: Attempt<ReadonlySet<string> | undefined>
  /** Module name to the path below /lib/modules/REL. */
  readonly dep: Attempt<ReadonlyMap<string, string> | undefined>
  readonly disabled: Attempt<boolean>
  readonly rules: Attempt<ModprobeRules>
  /** Names after `module_blacklist=` on the kernel's command line: those cannot be loaded by anybody. */
  readonly kernelBlacklist: Attempt<ReadonlySet<string>>
}

export interface LoadedModule {
  /** `(OE)`: O is out of tree, E unsigned. Empty for a module of the kernel's own. */
  readonly taint: string
  readonly live: boolean
}

export const detectKernelModules: Detector<KernelModules> = async ({ host }) => {
  await requireMounted(host, 'proc')
  await requireMounted(host, 'sys')
  return judgeModules(await readModuleSources(host))
}

async function readModuleSources(host: HostReader): Promise<ModuleSources> {
  const directory = `/lib/modules/${(await readKernel(host)).release}`
  const names = MODULES.join('|')
  const [loaded, fileSystems, sysModules, builtin, dep, disabled, rules, kernelBlacklist] = await Promise.all([
    host.lines('/proc/modules', new RegExp(`^(${names}) `)),
    host.lines('/proc/filesystems', new RegExp(`^(nodev)?\\t(${FILE_SYSTEMS.join('|')})$`)),
    sysModuleNames(host),
    attempt(async () => namesIn(await host.lines(`${directory}/modules.builtin`, MODULE_FILE))),
    attempt(async () => filesIn(await host.lines(`${directory}/modules.dep`, MODULE_FILE))),
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

// The kernel takes - and _ in a module's name for the same.
const MODULE_FILE = new RegExp(`(^|/)(${MODULES.map(name => name.replaceAll('_', '[-_]')).join('|')})\\.ko(\\.\\w+)?(:|$)`)

const moduleIn = (line: string): readonly [name: string, path: string] | undefined => {
  const path = line.split(':')[0] ?? ''
  const [, name] = /^(.+?)\.ko(\.\w+)?$/.exec(path.split('/').at(-1) ?? '') ?? []
  return name === undefined ? undefined : [name.replaceAll('-', '_'), path]
}

/** The lines of modules.dep, `kernel/fs/fuse/fuse.ko.zst: …`, to name and path. A line counts by the file before its colon. */
export const filesIn = (lines: readonly string[] | undefined): ReadonlyMap<string, string> | undefined =>
  lines && new Map(lines.map(moduleIn).filter(found => found !== undefined))

const namesIn = (lines: readonly string[] | undefined): ReadonlySet<string> | undefined =>
  lines && new Set(filesIn(lines)?.keys())

/** Lines of /proc/modules, `shiftfs 32768 0 - Live 0x0000000000000000 (OE)`; without CONFIG_MODULE_UNLOAD the count is a `-`. Throws `Unsure` on a line of another form. */
export function parseModules(lines: readonly string[]): ReadonlyMap<string, LoadedModule> {
  const found = new Map<string, LoadedModule>()
  for (const line of lines) {
    const [, name, state, taint] =
      /^(\w+) \d+ (?:-?\d+|-) \S+ (Live|Loading|Unloading) \S+(?: \((\w[\w+-]*)\))?\s*$/.exec(line) ?? []
    if (name === undefined) throw new Unsure('/proc/modules has a line of another form')
    found.set(name, { taint: taint ?? '', live: state === 'Live' })
  }
  return found
}

async function sysModuleNames(host: HostReader): Promise<ReadonlySet<string>> {
  const present = await Promise.all(MODULES.map(async name => (await host.stat(`/sys/module/${name}`)) !== undefined))
  return new Set(MODULES.filter((_, index) => present[index]))
}

/** `module_blacklist=a,b` on the kernel's command line, which stops a load with nothing to be seen in /sys; `-` is `_` and quotes may stand. */
export const parseKernelBlacklist = (cmdline: string): ReadonlySet<string> =>
  new Set(
    [...cmdline.matchAll(/(?:^|\s)"?module[-_]blacklist="?([^\s"]+)/g)].flatMap(([, names]) =>
      (names ?? '').split(',').map(name => name.replaceAll('-', '_'))
    )
  )

export interface ModprobeRules {
  /** Module to the command that runs in place of loading it, with the file that says so. */
  readonly install: ReadonlyMap<string, { readonly command: string; readonly file: string }>
  /** `blacklist NAME` stops loading by alias (a mount), not by name. */
  readonly blacklist: ReadonlyMap<string, string>
}

const MODPROBE_DIRECTORIES = ['/etc/modprobe.d', '/run/modprobe.d', '/usr/lib/modprobe.d'] as const

async function readModprobeRules(host: HostReader): Promise<ModprobeRules> {
  const paths = new Map<string, string>()
  // modprobe.d(5): a file hides those of the same name in the directories after it, and all are read in the order of their names.
  for (const directory of MODPROBE_DIRECTORIES) {
    for (const name of (await host.list(directory)) ?? []) {
      if (name.endsWith('.conf') && !paths.has(name)) paths.set(name, `${directory}/${name}`)
    }
  }
  const texts: (readonly [string, string])[] = []
  for (const [, path] of [...paths].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // A link to /dev/null is how modprobe.d(5) has a file of the distribution switched off.
    if ((await host.stat(path))?.device === '1:3') continue
    const text = await host.read(path)
    if (text !== undefined) texts.push([path, requireDirectives(path, completeText(path, text))])
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

/** The `install` and `blacklist` directives of modprobe.d files, given as path and text; the first `install` of a module counts. */
export function parseModprobeRules(files: readonly (readonly [path: string, text: string])[]): ModprobeRules {
  const install = new Map<string, { command: string; file: string }>()
  const blacklist = new Map<string, string>()
  for (const [file, text] of files) {
    for (const line of matchingLines(file, text.replaceAll('\\\n', ' '), /^\s*(install|blacklist)\s/)) {
      const [directive, name = '', ...command] = line.trim().split(/\s+/)
      const module = name.replaceAll('-', '_')
      if (directive === 'blacklist') blacklist.set(module, file)
      else for (const one of modulesLike(module)) install.set(one, install.get(one) ?? { command: command.join(' '), file })
    }
  }
  return { install, blacklist }
}

/** The modules that an `install` line means: its name may have wildcards (kmod asks fnmatch), and a set of characters is taken for all. */
function modulesLike(name: string): readonly string[] {
  if (!/[*?[]/.test(name)) return [name]
  if (name.length > 64) return MODULES
  const pattern = RegExp.escape(name.replaceAll(/\[[^\][]*\]/g, '?').replaceAll(/\*+/g, '*'))
  const like = new RegExp(`^${pattern.replaceAll('\\*', '.*').replaceAll('\\?', '.')}$`)
  return MODULES.filter(module => like.test(module))
}

/** Puts the sources together. Pure. */
export function judgeModules(sources: ModuleSources): KernelModules {
  const modules = Object.fromEntries(MODULES.map(name => [name, judgeModule(sources, name)])) as Record<ModuleName, ModuleState>
  return { supported: sources.loaded !== undefined, modules, shiftfs: judgeShiftfs(sources) }
}

function judgeModule(sources: ModuleSources, name: ModuleName): ModuleState {
  const present = presence(sources, name)
  if (present !== '') return { state: 'present', because: present }
  if (sources.loaded === undefined) return { state: 'absent', because: 'the kernel has no loadable modules' }
  const { dep } = sources
  if (!dep.ok) return { state: 'unknown', because: dep.why }
  if (dep.value === undefined) return { state: 'unknown', because: 'there is no modules.dep for the running kernel' }
  const file = dep.value.get(name)
  if (file === undefined) return { state: 'absent', because: 'not loaded, and not among the modules of the running kernel' }
  const obstacle = loadObstacle(sources, name)
  if (!obstacle.ok) return { state: 'unknown', because: `not loaded, and ${obstacle.why}` }
  return obstacle.value === ''
    ? { state: 'loadable', because: `${file} can be loaded` }
    : { state: 'absent', because: `not loaded, and ${obstacle.value}` }
}

function presence({ loaded, fileSystems, sysModules, builtin }: ModuleSources, name: ModuleName): string {
  if (loaded?.get(name)?.live) return 'loaded'
  if (fileSystems?.has(name)) return 'registered in /proc/filesystems'
  // A module that is only being loaded has this directory too, and its state is in /proc/modules.
  if (sysModules.has(name) && !loaded?.has(name)) return `there in /sys/module/${name}`
  if (builtin.ok && builtin.value?.has(name)) return 'built into the kernel'
  return ''
}

/** The first thing that keeps a module on the disk from being loaded by name, or an empty text. */
function loadObstacle({ disabled, rules, kernelBlacklist }: ModuleSources, name: ModuleName): Attempt<string> {
  if (!disabled.ok) return disabled
  if (disabled.value) return { ok: true, value: 'kernel.modules_disabled is 1: no module can be loaded until the next boot' }
  if (!kernelBlacklist.ok) return kernelBlacklist
  if (kernelBlacklist.value.has(name)) return { ok: true, value: `module_blacklist=${name} is on the kernel's command line` }
  if (!rules.ok) return rules
  const rule = rules.value.install.get(name)
  if (rule === undefined) return { ok: true, value: '' }
  if (/^(\/usr)?\/bin\/(false|true)$/.test(rule.command)) {
    return { ok: true, value: `${rule.file} says "install ${name} ${rule.command}"` }
  }
  return { ok: false, why: `${rule.file} runs "${rule.command}" in place of loading it` }
}

function judgeShiftfs(sources: ModuleSources): ShiftfsOrigin {
  const line = sources.loaded?.get('shiftfs')
  return {
    registered: line?.live === true || sources.fileSystems?.has('shiftfs') === true,
    outOfTree: shiftfsOutOfTree(sources),
    blockedBy: shiftfsBlock(sources)
  }
}

function shiftfsOutOfTree({ loaded, fileSystems, dep, builtin }: ModuleSources): boolean | undefined {
  const line = loaded?.get('shiftfs')
  if (line !== undefined) return line.taint.includes('O')
  if (builtin.ok && builtin.value?.has('shiftfs')) return false
  if (fileSystems?.has('shiftfs')) return undefined
  const file = dep.ok ? dep.value?.get('shiftfs') : undefined
  // The kernel's own modules lie in kernel/; updates/, extra/ and the rest are other people's.
  return file === undefined ? undefined : !file.startsWith('kernel/')
}

function shiftfsBlock({ rules, kernelBlacklist }: ModuleSources): string {
  if (!kernelBlacklist.ok) return kernelBlacklist.why
  if (kernelBlacklist.value.has('shiftfs')) return "shiftfs is blacklisted on the kernel's command line (module_blacklist=)"
  if (!rules.ok) return rules.why
  const file = rules.value.install.get('shiftfs')?.file ?? rules.value.blacklist.get('shiftfs')
  return file === undefined ? '' : `shiftfs is blacklisted in ${file}`
}

/** Runs one look whose failure must not take the other parts of a fact along. Bugs go on. */
export async function attempt<T>(look: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await look() }
  } catch (error) {
    if (error instanceof HostError || error instanceof Unsure) return { ok: false, why: error.message }
    throw error
  }
}
