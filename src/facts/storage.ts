import type { FsSpace, HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { type Disk, diskOf, formatStorage, nearest } from './disk.ts'
import { Unsure } from './fact.ts'
import { kubeletRoot } from './kubelet-root.ts'
import { ownMounts } from './mounts.ts'

/** A disk with known space: bytes available to unprivileged users, and in total. */
export type Storage = Disk & FsSpace

/** The file system of the kubelet's root, which holds the volumes of workspaces. */
export const detectStorage: Detector<Storage> = async ({ host, kubeletRoot: wanted = '' }) => {
  const storage = await storageOf(host, await kubeletRoot(host, wanted))
  await requireOwnPodBelow(host, storage)
  return storage
}

/** The kubelet's root with links resolved, or its nearest parent that exists. */
export const dataDirectory = async (host: HostReader, wanted: string): Promise<string> =>
  nearest(host, await kubeletRoot(host, wanted))

/** /var/lib/kubelet/pods/UID/etc-hosts, or the end of this path on a file system of its own. */
const OWN_HOSTS = /\/pods\/[^/]+\/etc-hosts$/

/**
 * A cross-check inside a pod: the kubelet mounts /etc/hosts from its root directory, so both are on the same file system. Throws `Unsure`
 * if they are not.
 */
async function requireOwnPodBelow(host: HostReader, { path, device, type }: Storage): Promise<void> {
  const own = (await ownMounts(host))?.find(({ mountPoint, root }) => mountPoint === '/etc/hosts' && OWN_HOSTS.test(root))
  if (own !== undefined && own.device !== device)
    throw new Unsure(
      `${path} is on ${type} (${device}), but this pod's own /etc/hosts is on ${own.type} (${own.device}); set the kubelet's root with --kubelet-root`
    )
}

async function storageOf(host: HostReader, wanted: string): Promise<Storage> {
  const { free, total, ...disk } = await diskOf(host, wanted)
  if (free === undefined || total === undefined)
    throw new Unsure(`nothing in this pod is on the file system of ${disk.path}, so its size cannot be read`)
  return { ...disk, free, total }
}

export const storageFact = defineFact({
  name: 'storage',
  describes: "file system and free space of the kubelet's root",
  detect: detectStorage,
  format: formatStorage
})
