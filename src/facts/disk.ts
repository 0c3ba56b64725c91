import type { FsSpace, HostError, HostReader } from '../host/host.ts'
import { gibibytes } from '../host/witness.ts'
import { Unsure } from './fact.ts'
import { type Mount, mountHolding, nodeMounts, ownMounts, placesOnNode } from './mounts.ts'
import { unlessNotMounted } from './not-mounted.ts'

/** The file system of a directory. */
export interface Disk extends Omit<Mount, 'root'>, Partial<FsSpace> {
  /** The directory itself, or its nearest parent that exists. */
  readonly path: string
}

export const VAR_LIB = '/var/lib'

export async function diskOf(host: HostReader, wanted: string): Promise<Disk> {
  const path = await nearest(host, wanted)
  const { root: _, ...disk } = await mountOf(host, path)
  return { path, ...disk, ...(await spaceOf(host, path, disk.device)) }
}

/** If the directory is not mounted into this pod, any other mount of the same file system has the answer: `/etc/hosts` for the kubelet's. */
async function spaceOf(host: HostReader, path: string, device: string): Promise<FsSpace | undefined> {
  const space = await unlessNotMounted(host.statfs(path))
  if ('value' in space) {
    if (space.value === undefined) throw new Unsure(`${path} was removed while it was read`)
    return space.value
  }
  const own = (await ownMounts(host))?.find(mount => mount.device === device)
  return own === undefined ? undefined : await host.statfs(`/proc/self/root${own.mountPoint}`)
}

/** `nearest` returns the path with links resolved, or its nearest parent that exists. */
export async function nearest(host: HostReader, path: string): Promise<string> {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const real = await unlessNotMounted(host.realpath(at))
    if ('error' in real) return await confirmedByMounts(host, at, real.error)
    if (real.value !== undefined) return real.value
  }
  return '/'
}

/** A path that is not mounted into this pod is a directory without links if the mount tables show something below it. */
async function confirmedByMounts(host: HostReader, path: string, error: HostError): Promise<string> {
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
