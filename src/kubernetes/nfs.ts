import type { V1PersistentVolume } from '@kubernetes/client-node/dist/gen/models/V1PersistentVolume.js'
import type { V1StorageClass } from '@kubernetes/client-node/dist/gen/models/V1StorageClass.js'

/** Provisioners and CSI drivers whose every volume is mounted by NFS, and whose name does not say so. */
const ALWAYS = ['efs.csi.aws.com', 'filestore.csi.storage.gke.io', 'fsx.openzfs.csi.aws.com']

/** `nfs.csi.k8s.io`, `kubernetes.io/nfs`, `k8s-sigs.io/nfs-subdir-external-provisioner`, `cluster.local/nfs-client-provisioner` */
const isNfsDriver = (name: string): boolean => ALWAYS.includes(name) || /(^|[./-])nfs/i.test(name)

/** Azure Files and Azure Blob offer NFS beside their own protocol, and are told by a parameter, of any case. */
const asksForNfs = (parameters: Readonly<Record<string, string>> = {}): boolean =>
  Object.entries(parameters).some(([name, value]) => name.toLowerCase() === 'protocol' && /^nfs/i.test(value))

/** What shows that volumes of this class are mounted by NFS; empty where nothing does. */
export function nfsOfClass({ metadata, provisioner, parameters }: V1StorageClass): string {
  if (!isNfsDriver(provisioner) && !asksForNfs(parameters)) return ''
  return `StorageClass ${metadata?.name} of ${provisioner}`
}

/** The same of a volume, which somebody may have made by hand and without a class. */
export function nfsOfVolume({ metadata, spec }: V1PersistentVolume): string {
  if (spec?.nfs !== undefined) return `PersistentVolume ${metadata?.name} of ${spec.nfs.server}`
  const { driver = '', volumeAttributes } = spec?.csi ?? {}
  return isNfsDriver(driver) || asksForNfs(volumeAttributes) ? `PersistentVolume ${metadata?.name} of ${driver}` : ''
}
