import type { HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { type Attempt, type Detector, Unsure } from './fact.ts'
import { requireMounted } from './numbers.ts'

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
  const paths = DIRECTORIES.flatMap(directory => PROGRAMS.map(program => `${directory}/${program}`))
  const there = await Promise.all(paths.map(async path => (await host.stat(path)) !== undefined))
  const programs = paths.filter((_, index) => there[index])
  if (programs.length === 0 && (await host.stat('/usr')) === undefined) throw new Unsure('/usr is not there below the host root')
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
  for (const unit of UNITS) {
    // From another process namespace their numbers read as 0.
    const processes = await attempt(() => host.read(`${unit}/${name}.service/cgroup.procs`))
    if (processes.ok && /^\d+$/m.test(processes.value ?? '')) return 'alive'
  }
  const numbers = ((await host.list('/proc')) ?? []).filter(entry => /^\d+$/.test(entry))
  const names = await Promise.all(numbers.map(async number => (await host.read(`/proc/${number}/comm`))?.trim()))
  if (names.includes(name)) return 'alive'
  // The first process is always root's.
  if (!numbers.includes('1'))
    throw new Unsure("other users' processes are hidden (hidepid), so whether Sysbox's daemons live cannot be told")
  return 'dead'
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

/** Sysbox binds this directory into every container that it starts; it is there only while the module is loaded. */
export const detectConntrack: Detector<boolean> = async ({ host }) => {
  await requireMounted(host, 'sys')
  return (await host.stat('/sys/module/nf_conntrack/parameters')) !== undefined
}
