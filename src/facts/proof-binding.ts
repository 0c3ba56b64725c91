import type { HostReader } from '../host/host.ts'
import { Unsure } from './fact.ts'
import { mountHolding, nodeMounts } from './mounts.ts'
import { mountsOverProc } from './procfs.ts'
import { dataPlace } from './storage.ts'

/** What a trial was made with, besides boot and kernel. When one of these changes, its proof is void. */
export interface Binding {
  /** The file systems that the kernel had, `nodev\toverlay` and so on; a trial mounts nothing else. */
  readonly filesystems: string
  /** The mount that holds the kubelet's root: `ext4 (8:1) at /`. */
  readonly disk: string
  /** What is mounted over files of /proc, which keeps a new procfs out: `/proc/cmdline`, empty where nothing is. */
  readonly overProc: string
}

export interface Made extends Binding {
  /** Seconds from the boot to the oldest of the proofs; the date may jump. */
  readonly uptime: number
}

/** A helper that lives makes its proofs anew after a day; of one that does not, they are believed for an hour more (seconds). */
const OLDEST = 25 * 3600

/** Why proofs that were made with `made` prove nothing any more; `undefined` where they still do. */
export function whyVoid(made: Made, live: Made): string | undefined {
  if (made.disk !== live.disk) return `they were made on ${made.disk}, and the kubelet's root lies on ${live.disk}`
  if (made.filesystems !== live.filesystems) return 'the kernel has gained or lost a file system since they were made'
  if (made.overProc !== live.overProc)
    return `they were made with ${overProc(made)} mounted over /proc, and now there is ${overProc(live)}`
  return whyTooOld(made.uptime, live.uptime, OLDEST)
}

const overProc = (binding: Binding): string => binding.overProc || 'nothing'

/** All three in seconds, the first two since the boot. */
export function whyTooOld(made: number, now: number, oldest: number): string | undefined {
  const age = now - made
  if (age < 0) return 'they were made after now, counted from the boot'
  return age > oldest ? `they are ${Math.floor(age / 3600)} hours old; does the helper still run?` : undefined
}

/** Read by the helper before it tries, and by the agent before it believes. Throws `HostError` or `Unsure`. */
export async function readBinding(host: HostReader, kubeletRoot: string): Promise<Binding> {
  const filesystems = await host.read('/proc/filesystems')
  if (filesystems === undefined) throw new Unsure('/proc/filesystems is not there')
  const place = await dataPlace(host, kubeletRoot)
  const mounts = await nodeMounts(host)
  const mount = mountHolding(mounts, place)
  if (mount === undefined) throw new Unsure(`no mount of the node holds ${place}`)
  return {
    filesystems,
    disk: `${mount.type} (${mount.device}) at ${mount.mountPoint}`,
    overProc: mountsOverProc(mounts).join(' ')
  }
}

/** Seconds since the boot. Throws `HostError` or `Unsure`. */
export async function readUptime(host: HostReader): Promise<number> {
  const text = await host.read('/proc/uptime')
  const seconds = Number(/^(\d{1,12}\.\d\d) /.exec(text ?? '')?.[1])
  if (Number.isNaN(seconds)) throw new Unsure('/proc/uptime does not tell how long the node has run')
  return seconds
}
