/** The types of Kubernetes objects, for the whole source. Types only: importing them loads no code. */
export type {
  CoreV1Event,
  V1Node,
  V1ObjectMeta,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1StorageClass
} from '@kubernetes/client-node'
