import type { FsSpace, HostError, HostReader } from '../host/host.ts'
import { gibibytes } from '../host/witness.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { kubeletRoot } from './kubelet-root.ts'
import { type Mount, mountHolding, nodeMounts, ownMounts, placesOnNode } from './mounts.ts'
import { unlessNotMounted } from './not-mounted.ts'
import { programsOf } from './sysbox.ts'

/** A file system, by the directory that is asked about. */
export interface Disk extends Omit<Mount, 'root'>, Partial<FsSpace> {
  /** The directory that was asked for, or the nearest one above it that is there. */
  readonly path: string
}

/** Bytes free for an ordinary user, and in all, are known too. */
export type Storage = Disk & FsSpace

/** The file system of the kubelet's root, on which the volumes of workspaces lie. */
export const detectStorage: Detector<Storage> = async ({ host, kubeletRoot: wanted = '' }) => {
  const storage = await storageOf(host, await kubeletRoot(host, wanted))
  await requireOwnPodThere(host, storage)
  return storage
}

/** The kubelet's root, links resolved, or the nearest directory above it that is there. */
export const dataPlace = async (host: HostReader, wanted: string): Promise<string> =>
  nearest(host, await kubeletRoot(host, wanted))

/** /var/lib/kubelet/pods/UID/etc-hosts, or a part of it below the root of its file system. */
const OWN_HOSTS = /\/pods\/[^/]+\/etc-hosts$/

/**
 * A second witness, inside a pod: the kubelet has mounted /etc/hosts from its root, so it lies on that very file system. Throws `Unsure`
 * where it lies on another one.
 */
async function requireOwnPodThere(host: HostReader, { path, device, type }: Storage): Promise<void> {
  const own = (await ownMounts(host))?.find(({ mountPoint, root }) => mountPoint === '/etc/hosts' && OWN_HOSTS.test(root))
  if (own !== undefined && own.device !== device)
    throw new Unsure(
      `${path} lies on ${type} (${device}), and this pod's own /etc/hosts on ${own.type} (${own.device}); name the kubelet's root with --kubelet-root`
    )
}

const VAR_LIB = '/var/lib'
const SYSBOX = `${VAR_LIB}/sysbox`

/** Where a Sysbox on the node keeps its containers, or one would. */
export const detectSysboxStorage: Detector<Disk> = async ({ host }) => {
  const found = await unlessNotMounted(diskOf(host, SYSBOX))
  if ('value' in found) return found.value
  // A Sysbox could have its directory elsewhere, by a link.
  if ((await programsOf(host)).length > 0) throw found.error
  return await diskOf(host, VAR_LIB)
}

export const detectVarLib: Detector<Disk> = ({ host }) => diskOf(host, VAR_LIB)

export interface HostPath {
  readonly exists: boolean
  /** Without it, the container runtime creates the directory when its parent's file system can be written. */
  readonly parentWritable: boolean
}

/** The node's directories that the outer container of a CVM mounts. */
export const HOST_PATHS = ['/usr/src', '/lib/modules'] as const

export const detectHostPaths: Detector<Readonly<Record<(typeof HOST_PATHS)[number], HostPath>>> = async ({ host }) => {
  const [src, modules] = await Promise.all(HOST_PATHS.map(path => hostPath(host, path)))
  return { '/usr/src': src as HostPath, '/lib/modules': modules as HostPath }
}

async function hostPath(host: HostReader, path: string): Promise<HostPath> {
  const stat = await host.stat(path)
  if (stat !== undefined) return { exists: stat.kind === 'directory', parentWritable: stat.kind === 'directory' }
  const mount = await mountOf(host, await nearest(host, path))
  return { exists: false, parentWritable: !mount.readOnly }
}

async function storageOf(host: HostReader, wanted: string): Promise<Storage> {
  const { free, total, ...disk } = await diskOf(host, wanted)
  if (free === undefined || total === undefined)
    throw new Unsure(`nothing of this pod lies on the file system of ${disk.path}, so its size cannot be told`)
  return { ...disk, free, total }
}

async function diskOf(host: HostReader, wanted: string): Promise<Disk> {
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
async function nearest(host: HostReader, path: string): Promise<string> {
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

async function mountOf(host: HostReader, path: string): Promise<Mount> {
  const mount = mountHolding(await nodeMounts(host), path)
  if (mount === undefined) throw new Unsure(`no mount of the node holds ${path}`)
  return mount
}

const formatStorage = ({ path, type, mountPoint, free, total, readOnly, noExec }: Disk): string => {
  const space = free === undefined || total === undefined ? '' : `, ${gibibytes(free)} free of ${gibibytes(total)}`
  return `${path} on ${type} at ${mountPoint}${readOnly ? ', read-only' : ''}${noExec ? ', noexec' : ''}${space}`
}

export const storageFact = defineFact({
  name: 'storage',
  describes: "file system and free space of the kubelet's root",
  detect: detectStorage,
  format: formatStorage
})

export const sysboxStorageFact = defineFact({
  name: 'sysbox-storage',
  describes: 'the same for `/var/lib/sysbox`',
  detect: detectSysboxStorage,
  format: formatStorage
})

export const varLibFact = defineFact({
  name: 'var-lib',
  describes: 'the same for `/var/lib`',
  detect: detectVarLib,
  format: formatStorage
})

export const hostPathsFact = defineFact({
  name: 'host-paths',
  describes: 'whether `/usr/src` and `/lib/modules` exist or can be created',
  detect: detectHostPaths,
  format: paths =>
    Object.entries(paths)
      .map(([path, { exists, parentWritable }]) => `${path} ${exists ? 'there' : parentWritable ? 'can be created' : 'missing'}`)
      .join(', ')
})
