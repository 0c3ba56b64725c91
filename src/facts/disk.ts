import type { FsSpace, HostError, HostReader } from '../host/host.ts'
import { gibibytes } from '../host/witness.ts'
import { Unsure } from './fact.ts'
import { type Mount, mountHolding, nodeMounts, ownMounts, placesOnNode } from './mounts.ts'
import { unlessNotMounted } from './not-mounted.ts'

/** A file system, by the directory that is asked about. */
export interface Disk extends Omit<Mount, 'root'>, Partial<FsSpace> {
  /** The directory that was asked for, or the nearest one above it that is there. */
  readonly path: string
}

export const VAR_LIB = '/var/lib'

export async function diskOf(host: HostReader, wanted: string): Promise<Disk> {
  const path = await nearest(host, wanted)
  const { root: _, ...disk } = await mountOf(host, path)
  return { path, ...disk, ...(await spaceOf(host, path, disk.device)) }
}

/** Where the directory is not mounted into this pod, anything that is tells, if it lies on that file system: `/etc/hosts` on the kubelet's. */
async function spaceOf(host: HostReader, path: string, device: string): Promise<FsSpace | undefined> {
  const space = await unlessNotMounted(host.statfs(path))
  if ('value' in space) {
    if (space.value === undefined) throw new Unsure(`${path} vanished while it was looked at`)
    return space.value
  }
  const own = (await ownMounts(host))?.find(mount => mount.device === device)
  return own === undefined ? undefined : await host.statfs(`/proc/self/root${own.mountPoint}`)
}

/** The path itself, links resolved, or the nearest directory above it that is there. */
export async function nearest(host: HostReader, path: string): Promise<string> {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const real = await unlessNotMounted(host.realpath(at))
    if ('error' in real) return await provenByMounts(host, at, real.error)
    if (real.value !== undefined) return real.value
  }
  return '/'
}

/** A path that is not mounted into this pod is a directory without a link in it, if the node is known to have something there. */
async function provenByMounts(host: HostReader, path: string, error: HostError): Promise<string> {
  const mounts = await nodeMounts(host)
  const places = [...mounts.map(({ mountPoint }) => mountPoint), ...placesOnNode((await ownMounts(host)) ?? [], mounts)]
  if (places.some(place => `${place}/`.startsWith(`${path}/`))) return path
  throw error
}

export async function mountOf(host: HostReader, path: string): Promise<Mount> {
  const mount = mountHolding(await nodeMounts(host), path)
  if (mount === undefined) throw new Unsure(`no mount of the node holds ${path}`)
  return mount
}

export const formatStorage = ({ path, type, mountPoint, free, total, readOnly, noExec }: Disk): string => {
  const space = free === undefined || total === undefined ? '' : `, ${gibibytes(free)} free of ${gibibytes(total)}`
  return `${path} on ${type} at ${mountPoint}${readOnly ? ', read-only' : ''}${noExec ? ', noexec' : ''}${space}`
}
