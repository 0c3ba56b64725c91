import type { HostReader } from '../host/host.ts'
import { type Detector, Unsure } from './fact.ts'
import { kubeletRoot } from './kubelet-root.ts'
import { type Mount, mountHolding, nodeMounts, ownMounts } from './mounts.ts'

export interface Storage extends Omit<Mount, 'root'> {
  /** The directory that was asked for, or the nearest one above it that is there. */
  readonly path: string
  /** Bytes free for an ordinary user, and in all. */
  readonly free: number
  readonly total: number
}

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

/** Where a Sysbox on the node keeps its containers. */
export const detectSysboxStorage: Detector<Storage> = ({ host }) => storageOf(host, '/var/lib/sysbox')

export const detectVarLib: Detector<Storage> = ({ host }) => storageOf(host, '/var/lib')

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
  const path = await nearest(host, wanted)
  const mount = await mountOf(host, path)
  const space = await host.statfs(path)
  if (space === undefined) throw new Unsure(`${path} vanished while it was looked at`)
  const { root: _, ...disk } = mount
  return { path, ...disk, ...space }
}

/** The path itself, links resolved, or the nearest directory above it that is there. */
async function nearest(host: HostReader, path: string): Promise<string> {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const real = await host.realpath(at)
    if (real !== undefined) return real
  }
  return '/'
}

async function mountOf(host: HostReader, path: string): Promise<Mount> {
  const mount = mountHolding(await nodeMounts(host), path)
  if (mount === undefined) throw new Unsure(`no mount of the node holds ${path}`)
  return mount
}
