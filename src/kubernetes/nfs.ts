import type { V1PersistentVolume, V1StorageClass } from './models.ts'

/** Provisioners and CSI drivers whose volumes are all mounted by NFS, though their name does not say so. */
const ALWAYS = ['efs.csi.aws.com', 'filestore.csi.storage.gke.io', 'fsx.openzfs.csi.aws.com']

/** `nfs.csi.k8s.io`, `kubernetes.io/nfs`, `k8s-sigs.io/nfs-subdir-external-provisioner`, `cluster.local/nfs-client-provisioner` */
const isNfsDriver = (name: string): boolean => ALWAYS.includes(name) || /(^|[./-])nfs/i.test(name)

/** Azure Files and Azure Blob offer NFS besides their own protocol; a parameter, in any case, selects it. */
const asksForNfs = (parameters: Readonly<Record<string, string>> = {}): boolean =>
  Object.entries(parameters).some(([name, value]) => name.toLowerCase() === 'protocol' && /^nfs/i.test(value))

/** Why volumes of this class are mounted by NFS; empty where they are not known to be. */
export function nfsOfClass({ metadata, provisioner, parameters }: V1StorageClass): string {
  if (!isNfsDriver(provisioner) && !asksForNfs(parameters)) return ''
  return `StorageClass ${metadata?.name} of ${provisioner}`
}

/** The same for a volume, which may have been created by hand and without a class. */
export function nfsOfVolume({ metadata, spec }: V1PersistentVolume): string {
  if (spec?.nfs !== undefined) return `PersistentVolume ${metadata?.name} of ${spec.nfs.server}`
  const { driver = '', volumeAttributes } = spec?.csi ?? {}
  return isNfsDriver(driver) || asksForNfs(volumeAttributes) ? `PersistentVolume ${metadata?.name} of ${driver}` : ''
}
