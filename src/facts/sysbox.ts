import type { HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { type Attempt, Unsure } from './fact.ts'
import { unlessNotMounted } from './not-mounted.ts'

export interface Sysbox {
  /** Paths of the programs that exist. */
  readonly programs: readonly string[]
  /** Each can fail on its own. */
  readonly manager: Attempt<Daemon>
  readonly fs: Attempt<Daemon>
  /** `0.7.1`; empty if neither an installer nor the helper has recorded it. */
  readonly version: Attempt<string>
}

/** Whether a process with the daemon's name exists. A container may still fail to start. */
export type Daemon = 'alive' | 'dead'

/** /opt/bin is for Flatcar, whose /usr is read-only; old packages used /usr/local/sbin. */
const DIRECTORIES = ['/usr/bin', '/opt/bin', '/usr/local/sbin'] as const

const PROGRAMS = ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'] as const

/** Sysbox as installed on the node. */
export const detectSysbox: Detector<Sysbox> = async ({ host, readings }) => {
  const programs = await programsOf(host)
  if (programs.length === 0) return NOT_INSTALLED
  const [manager, fs, version] = await Promise.all([
    attempt(() => daemon(host, 'sysbox-mgr')),
    attempt(() => daemon(host, 'sysbox-fs')),
    attempt(() => readVersion(host))
  ])
  const isRecorded = version.ok && version.value !== ''
  const byHelper = readings?.sysboxVersion
  return { programs, manager, fs, version: isRecorded || byHelper === undefined ? version : { ok: true, value: byHelper } }
}

/**
 * The paths of Sysbox's programs on the node; none if it is not installed. If a directory is not mounted into the agent's pod, missing
 * daemons prove the same: without them no container starts. Throws `HostError` or `Unsure` if neither is certain.
 */
export async function programsOf(host: HostReader): Promise<readonly string[]> {
  const paths = DIRECTORIES.flatMap(directory => PROGRAMS.map(program => `${directory}/${program}`))
  const stats = await Promise.all(paths.map(path => unlessNotMounted(host.stat(path))))
  const programs = paths.filter((_, index) => (stats[index] as { value?: unknown }).value !== undefined)
  if (programs.length > 0) return programs
  if ((await host.stat('/usr')) === undefined) throw new Unsure('/usr does not exist below the host root')
  const hidden = stats.find(stat => 'error' in stat)
  if (hidden === undefined) return []
  const units = await Promise.all(PROGRAMS.map(name => unitOf(host, name)))
  if (units.some(unit => unit !== 'idle')) throw hidden.error
  return []
}

const DEAD = { ok: true, value: 'dead' } as const

const NOT_INSTALLED: Sysbox = { programs: [], manager: DEAD, fs: DEAD, version: { ok: true, value: '' } }

/** cgroup v2, and the named hierarchy of v1. */
const UNITS = [
  '/sys/fs/cgroup/system.slice',
  '/sys/fs/cgroup/systemd/system.slice',
  '/sys/fs/cgroup/unified/system.slice'
] as const

/**
 * Whether a process with that name runs. Only root can read the sockets in /run/sysbox, so the processes of the unit are read first, then
 * those of the node, which are many. Throws `Unsure` if processes of other users are hidden.
 */
async function daemon(host: HostReader, name: string): Promise<Daemon> {
  const unit = await unitOf(host, name)
  if (unit === 'alive') return 'alive'
  const entries = await unlessNotMounted(host.list('/proc'))
  if ('error' in entries) {
    // Every installer of Sysbox starts the daemons as systemd units, and a running unit has processes in its cgroup.
    if (unit === 'idle' && (await existsAny(host, UNITS))) return 'dead'
    throw typeof unit === 'string' ? entries.error : new Unsure(unit.why)
  }
  const numbers = (entries.value ?? []).filter(entry => /^\d+$/.test(entry))
  const names = await Promise.all(numbers.map(async number => (await host.read(`/proc/${number}/comm`))?.trim()))
  if (names.includes(name)) return 'alive'
  // Process 1 always belongs to root.
  if (!numbers.includes('1'))
    throw new Unsure("processes of other users are hidden (hidepid), so it is unknown whether Sysbox's daemons run")
  return 'dead'
}

/** Whether the unit has processes, or why that cannot be read. */
async function unitOf(host: HostReader, name: string): Promise<'alive' | 'idle' | { readonly why: string }> {
  let unreadable: { readonly why: string } | undefined
  for (const unit of UNITS) {
    const processes = await attempt(() => host.read(`${unit}/${name}.service/cgroup.procs`))
    // In another PID namespace their numbers are 0.
    if (processes.ok && /^\d+$/m.test(processes.value ?? '')) return 'alive'
    if (!processes.ok) unreadable ??= { why: processes.why }
  }
  return unreadable ?? 'idle'
}

async function existsAny(host: HostReader, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if ((await host.stat(path)) !== undefined) return true
  return false
}

/** sysbox-deploy-k8s writes the installed version here. */
const INSTALLED = '/var/lib/sysbox-deploy-k8s/sysbox_installed_version'

const PACKAGES = '/var/lib/dpkg/status'

async function readVersion(host: HostReader): Promise<string> {
  const recorded = await host.read(INSTALLED)
  if (recorded !== undefined) {
    const version = parseSysboxVersion(recorded)
    if (version === undefined) throw new Unsure(`${INSTALLED} holds ${JSON.stringify(recorded.slice(0, 40))}, not a version`)
    return version
  }
  return versionOfPackage((await host.lines(PACKAGES, /^(Package|Version): /)) ?? []) ?? ''
}

/** `v0.7.1\n`, `sysbox-ce 0.6.7-0`, `0.6.4-1.linux`: the first three numbers. */
export const parseSysboxVersion = (text: string): string | undefined =>
  /(?<![\d.])(\d{1,4}\.\d{1,4}\.\d{1,4})(?![\d.])/.exec(text)?.[1]

/** In dpkg's list, `Version` follows `Package`. */
export function versionOfPackage(lines: readonly string[]): string | undefined {
  const at = lines.findIndex(line => /^Package: sysbox-(ce|ee)$/.test(line))
  const version = at < 0 ? undefined : lines[at + 1]
  return version?.startsWith('Version: ') ? parseSysboxVersion(version) : undefined
}

export const sysboxFact = defineFact({
  name: 'sysbox',
  describes: 'version and daemons of Sysbox on the node, if installed',
  detect: detectSysbox,
  format: ({ programs, manager, fs, version }) => {
    if (programs.length === 0) return 'not installed'
    const state = (found: typeof manager | typeof version) =>
      found.ok ? found.value || 'version unknown' : `unknown (${found.why})`
    return `${programs.join(', ')}: ${state(version)}; sysbox-mgr ${state(manager)}, sysbox-fs ${state(fs)}`
  }
})
