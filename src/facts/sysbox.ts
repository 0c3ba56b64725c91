import type { HostReader } from '../host/host.ts'
import { type Detector, Unsure } from './fact.ts'
import { requireMounted } from './numbers.ts'

export interface Sysbox {
  /** The programs that were found, by path. */
  readonly programs: readonly string[]
  readonly manager: Daemon
  readonly fs: Daemon
}

/** Alive is a socket and a process of the right name behind the pid file; neither proves that a container can start. */
export type Daemon = 'alive' | 'no socket' | 'dead'

/** Flatcar's image has no writable /usr; old packages went to /usr/local/sbin. */
const DIRECTORIES = ['/usr/bin', '/opt/bin', '/usr/local/sbin'] as const
const PROGRAMS = ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'] as const

/** The Sysbox that is installed on the node itself. */
export const detectSysbox: Detector<Sysbox> = async ({ host }) => {
  const paths = DIRECTORIES.flatMap(directory => PROGRAMS.map(program => `${directory}/${program}`))
  const there = await Promise.all(paths.map(async path => (await host.stat(path)) !== undefined))
  const programs = paths.filter((_, index) => there[index])
  if (programs.length === 0 && (await host.stat('/usr')) === undefined) throw new Unsure('/usr is not there below the host root')
  if (programs.length === 0) return { programs, manager: 'no socket', fs: 'no socket' }
  const [manager, fs] = await Promise.all([daemon(host, 'sysmgr', 'sysbox-mgr'), daemon(host, 'sysfs', 'sysbox-fs')])
  return { programs, manager, fs }
}

async function daemon(host: HostReader, file: string, name: string): Promise<Daemon> {
  const socket = await host.stat(`/run/sysbox/${file}.sock`)
  if (socket?.kind !== 'socket') return 'no socket'
  const path = `/run/sysbox/${file}.pid`
  const pid = await host.read(path)
  // Older releases write no pid file: the socket is then all that can be seen.
  if (pid === undefined) return 'alive'
  if (!/^\d{1,9}\s*$/.test(pid)) throw new Unsure(`${path} holds no process number`)
  return (await host.read(`/proc/${pid.trim()}/comm`))?.trim() === name ? 'alive' : 'dead'
}

/** Sysbox binds this directory into every container that it starts; it is there only while the module is loaded. */
export const detectConntrack: Detector<boolean> = async ({ host }) => {
  await requireMounted(host, 'sys')
  return (await host.stat('/sys/module/nf_conntrack/parameters')) !== undefined
}
