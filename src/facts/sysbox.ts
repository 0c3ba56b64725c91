import type { HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { type Attempt, Unsure } from './fact.ts'
import { unlessNotMounted } from './not-mounted.ts'

export interface Sysbox {
  /** The programs that were found, by path. */
  readonly programs: readonly string[]
  /** Fail apart from each other, and from the programs. */
  readonly manager: Attempt<Daemon>
  readonly fs: Attempt<Daemon>
  /** `0.7.1`; empty where no installer has left word of it, and no helper has asked Sysbox itself. */
  readonly version: Attempt<string>
}

/** A process of the daemon's name. It proves no more: while one is alive, a container may still not start. */
export type Daemon = 'alive' | 'dead'

/** Flatcar's image has no writable /usr; old packages went to /usr/local/sbin. */
const DIRECTORIES = ['/usr/bin', '/opt/bin', '/usr/local/sbin'] as const

const PROGRAMS = ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'] as const

/** The Sysbox that is installed on the node itself. */
export const detectSysbox: Detector<Sysbox> = async ({ host, readings }) => {
  const programs = await programsOf(host)
  if (programs.length === 0) return NOT_INSTALLED
  const [manager, fs, version] = await Promise.all([
    attempt(() => daemon(host, 'sysbox-mgr')),
    attempt(() => daemon(host, 'sysbox-fs')),
    attempt(() => readVersion(host))
  ])
  const isTold = version.ok && version.value !== ''
  const asked = readings?.sysboxVersion
  return { programs, manager, fs, version: isTold || asked === undefined ? version : { ok: true, value: asked } }
}

/**
 * The programs of Sysbox that the node has, by path; none where it is not installed. Where a directory cannot be seen from the agent's pod,
 * that it has no daemon tells as much: without one no container starts. Throws `HostError` or `Unsure` where neither tells.
 */
export async function programsOf(host: HostReader): Promise<readonly string[]> {
  const paths = DIRECTORIES.flatMap(directory => PROGRAMS.map(program => `${directory}/${program}`))
  const stats = await Promise.all(paths.map(path => unlessNotMounted(host.stat(path))))
  const programs = paths.filter((_, index) => (stats[index] as { value?: unknown }).value !== undefined)
  if (programs.length > 0) return programs
  if ((await host.stat('/usr')) === undefined) throw new Unsure('/usr is not there below the host root')
  const hidden = stats.find(stat => 'error' in stat)
  if (hidden === undefined) return []
  const units = await Promise.all(PROGRAMS.map(name => unitOf(host, name)))
  if (units.some(unit => unit !== 'idle')) throw hidden.error
  return []
}

const DEAD = { ok: true, value: 'dead' } as const

const NOT_INSTALLED: Sysbox = { programs: [], manager: DEAD, fs: DEAD, version: { ok: true, value: '' } }

/** Of cgroup v2, and of v1 in its named hierarchy. */
const UNITS = [
  '/sys/fs/cgroup/system.slice',
  '/sys/fs/cgroup/systemd/system.slice',
  '/sys/fs/cgroup/unified/system.slice'
] as const

/**
 * Whether a process of that name runs, by what an ordinary user can read: /run/sysbox, where the sockets are, is for root only. The
 * unit's processes show first, since the list of all processes is long. Throws `Unsure` where other users' processes are hidden.
 */
async function daemon(host: HostReader, name: string): Promise<Daemon> {
  const unit = await unitOf(host, name)
  if (unit === 'alive') return 'alive'
  const entries = await unlessNotMounted(host.list('/proc'))
  if ('error' in entries) {
    // Every installer of Sysbox starts its daemons as units of systemd, and a unit that runs has processes in its cgroup.
    if (unit === 'idle' && (await isAnyThere(host, UNITS))) return 'dead'
    throw typeof unit === 'string' ? entries.error : new Unsure(unit.why)
  }
  const numbers = (entries.value ?? []).filter(entry => /^\d+$/.test(entry))
  const names = await Promise.all(numbers.map(async number => (await host.read(`/proc/${number}/comm`))?.trim()))
  if (names.includes(name)) return 'alive'
  // The first process is always root's.
  if (!numbers.includes('1'))
    throw new Unsure("other users' processes are hidden (hidepid), so whether Sysbox's daemons live cannot be told")
  return 'dead'
}

/** Whether the unit has processes; or why that cannot be read. */
async function unitOf(host: HostReader, name: string): Promise<'alive' | 'idle' | { readonly why: string }> {
  let closed: { readonly why: string } | undefined
  for (const unit of UNITS) {
    const processes = await attempt(() => host.read(`${unit}/${name}.service/cgroup.procs`))
    // From another process namespace their numbers read as 0.
    if (processes.ok && /^\d+$/m.test(processes.value ?? '')) return 'alive'
    if (!processes.ok) closed ??= { why: processes.why }
  }
  return closed ?? 'idle'
}

async function isAnyThere(host: HostReader, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if ((await host.stat(path)) !== undefined) return true
  return false
}

/** Where sysbox-deploy-k8s leaves the version that it installed. */
const INSTALLED = '/var/lib/sysbox-deploy-k8s/sysbox_installed_version'

const PACKAGES = '/var/lib/dpkg/status'

async function readVersion(host: HostReader): Promise<string> {
  const left = await host.read(INSTALLED)
  if (left !== undefined) {
    const version = parseSysboxVersion(left)
    if (version === undefined) throw new Unsure(`${INSTALLED} holds ${JSON.stringify(left.slice(0, 40))}, no version`)
    return version
  }
  return versionOfPackage((await host.lines(PACKAGES, /^(Package|Version): /)) ?? []) ?? ''
}

/** `v0.7.1\n`, `sysbox-ce 0.6.7-0`, `0.6.4-1.linux`: the first three numbers. */
export const parseSysboxVersion = (text: string): string | undefined =>
  /(?<![\d.])(\d{1,4}\.\d{1,4}\.\d{1,4})(?![\d.])/.exec(text)?.[1]

/** Of dpkg's list, whose `Version` follows the `Package` that it is of. */
export function versionOfPackage(lines: readonly string[]): string | undefined {
  const at = lines.findIndex(line => /^Package: sysbox-(ce|ee)$/.test(line))
  const version = at < 0 ? undefined : lines[at + 1]
  return version?.startsWith('Version: ') ? parseSysboxVersion(version) : undefined
}

export const sysboxFact = defineFact({
  name: 'sysbox',
  describes: 'a Sysbox installed on the node, its version and its daemons',
  detect: detectSysbox,
  format: ({ programs, manager, fs, version }) => {
    if (programs.length === 0) return 'not installed'
    const state = (found: typeof manager | typeof version) =>
      found.ok ? found.value || 'of unknown version' : `unknown (${found.why})`
    return `${programs.join(', ')}: ${state(version)}; sysbox-mgr ${state(manager)}, sysbox-fs ${state(fs)}`
  }
})
