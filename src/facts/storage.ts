import type { FsSpace, HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { type Disk, diskOf, formatStorage, nearest } from './disk.ts'
import { Unsure } from './fact.ts'
import { kubeletRoot } from './kubelet-root.ts'
import { ownMounts } from './mounts.ts'

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

async function storageOf(host: HostReader, wanted: string): Promise<Storage> {
  const { free, total, ...disk } = await diskOf(host, wanted)
  if (free === undefined || total === undefined)
    throw new Unsure(`nothing of this pod lies on the file system of ${disk.path}, so its size cannot be told`)
  return { ...disk, free, total }
}

export const storageFact = defineFact({
  name: 'storage',
  describes: "file system and free space of the kubelet's root",
  detect: detectStorage,
  format: formatStorage
})
