import type { HostReader } from '../host/host.ts'
import { Unsure } from './fact.ts'
import { mountHolding, nodeMounts } from './mounts.ts'
import { mountsOverProc } from './procfs.ts'
import { dataDirectory } from './storage.ts'

/** The conditions of a trial besides boot and kernel. If one of them changes, its proof is void. */
export interface Binding {
  /** The content of /proc/filesystems; a trial mounts only these file systems. */
  readonly filesystems: string
  /** The mount that contains the kubelet's root: `ext4 (8:1) at /`. */
  readonly disk: string
  /** Mount points over files of /proc, which block a new procfs: `/proc/cmdline`; empty without any. */
  readonly overProc: string
}

export interface Made extends Binding {
  /** Uptime in seconds at the oldest of the proofs; the wall clock may jump. */
  readonly uptime: number
}

/** Maximum age in seconds: a running helper renews its proofs after a day; one hour more is accepted. */
const MAX_AGE = 25 * 3600

/** `whyVoid` returns why proofs that were made under `made` are void; `undefined` if they are still valid. */
export function whyVoid(made: Made, live: Made): string | undefined {
  if (made.disk !== live.disk) return `they were made on ${made.disk}, but the kubelet's root is on ${live.disk}`
  if (made.filesystems !== live.filesystems) return 'the file systems of the kernel have changed since they were made'
  if (made.overProc !== live.overProc)
    return `they were made with ${overProc(made)} mounted over /proc, but now it is ${overProc(live)}`
  return whyTooOld(made.uptime, live.uptime, MAX_AGE)
}

const overProc = (binding: Binding): string => binding.overProc || 'nothing'

/** `whyTooOld` takes seconds: the uptime at which the proofs were made, the uptime now, and the maximum age. */
export function whyTooOld(made: number, now: number, oldest: number): string | undefined {
  const age = now - made
  if (age < 0) return 'they are dated after the current uptime of the node'
  return age > oldest ? `they are ${Math.floor(age / 3600)} hours old; check that the helper is running` : undefined
}

/** The helper reads the binding before its trials, and the agent before it accepts them. Throws `HostError` or `Unsure`. */
export async function readBinding(host: HostReader, kubeletRoot: string): Promise<Binding> {
  const filesystems = await host.read('/proc/filesystems')
  if (filesystems === undefined) throw new Unsure('/proc/filesystems is missing')
  const directory = await dataDirectory(host, kubeletRoot)
  const mounts = await nodeMounts(host)
  const mount = mountHolding(mounts, directory)
  if (mount === undefined) throw new Unsure(`no mount of the node holds ${directory}`)
  return {
    filesystems,
    disk: `${mount.type} (${mount.device}) at ${mount.mountPoint}`,
    overProc: mountsOverProc(mounts).join(' ')
  }
}

/** Uptime in seconds. Throws `HostError` or `Unsure`. */
export async function readUptime(host: HostReader): Promise<number> {
  const text = await host.read('/proc/uptime')
  const seconds = Number(/^(\d{1,12}\.\d\d) /.exec(text ?? '')?.[1])
  if (Number.isNaN(seconds)) throw new Unsure('/proc/uptime has an unexpected format')
  return seconds
}
