import { ALL_CAPABILITIES } from '../verdicts/all.ts'
import type { Connection } from './connection.ts'
import { listObjects } from './list/objects.ts'
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1Pod, V1StorageClass } from './models.ts'
import { nfsOfClass, nfsOfVolume } from './nfs.ts'

/** A claim of a Pod that runs a CVM. */
export interface CvmClaim {
  /** `namespace/name` */
  readonly name: string
  /** Why its volume is on NFS; empty where it is not known to be. */
  readonly nfs: string
}

export interface Scope {
  readonly prefix: string
  /** Empty for all namespaces. */
  readonly namespace: string
}

/** The claims of all Pods that select Nodes for CVMs. Throws `ApiError`. */
export async function cvmClaims(connection: Connection, scope: Scope, signal: AbortSignal): Promise<readonly CvmClaim[]> {
  const list = <T>(resource: string) => listObjects<T>(connection, listedIn(resource, scope.namespace), signal)
  const names = new Set<string>()
  for await (const pod of list<V1Pod>('pods'))
    if (asksForCvm(pod, scope.prefix)) for (const name of claimsOf(pod)) names.add(name)
  if (names.size === 0) return []
  const claims: V1PersistentVolumeClaim[] = []
  for await (const claim of list<V1PersistentVolumeClaim>('persistentvolumeclaims')) {
    if (names.has(nameOf(claim))) claims.push(claim)
  }
  const [classes, volumes] = [new Map<string, string>(), new Map<string, string>()]
  for await (const item of listObjects<V1StorageClass>(connection, CLASSES, signal)) {
    classes.set(item.metadata?.name ?? '', nfsOfClass(item))
  }
  for await (const item of listObjects<V1PersistentVolume>(connection, VOLUMES, signal)) {
    volumes.set(item.metadata?.name ?? '', nfsOfVolume(item))
  }
  return claims.map(claim => ({
    name: nameOf(claim),
    nfs: classes.get(claim.spec?.storageClassName ?? '') || volumes.get(claim.spec?.volumeName ?? '') || ''
  }))
}

const CLASSES = { resource: 'storageclasses', path: '/apis/storage.k8s.io/v1/storageclasses' }
const VOLUMES = { resource: 'persistentvolumes', path: '/api/v1/persistentvolumes' }

const listedIn = (resource: string, namespace: string) => ({
  resource,
  namespace,
  path: namespace === '' ? `/api/v1/${resource}` : `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}`
})

const nameOf = ({ metadata }: V1PersistentVolumeClaim): string => `${metadata?.namespace}/${metadata?.name}`

/** An ephemeral volume has a claim too, named after the Pod and the volume. */
const claimsOf = ({ metadata, spec }: V1Pod): readonly string[] =>
  (spec?.volumes ?? [])
    .map(({ name, persistentVolumeClaim, ephemeral }) =>
      persistentVolumeClaim ? persistentVolumeClaim.claimName : ephemeral ? `${metadata?.name}-${name}` : ''
    )
    .filter(name => name !== '')
    .map(name => `${metadata?.namespace}/${name}`)

const CVMS = ALL_CAPABILITIES.filter(({ workspace }) => workspace.isCvm).map(({ name }) => name)

/** By its node selector, or by a term of its required node affinity. */
export function asksForCvm({ spec }: V1Pod, prefix: string): boolean {
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const wanted = terms
    .flatMap(({ matchExpressions = [] }) => matchExpressions)
    .flatMap(({ key, operator, values = [] }) => (operator === 'In' && values.includes('true') ? [key] : []))
  return CVMS.some(name => spec?.nodeSelector?.[`${prefix}/${name}`] === 'true' || wanted.includes(`${prefix}/${name}`))
}
