import type { KubeConfig } from './client-node.ts'

/** Which cluster to connect to, and with which credentials. */
export interface Credentials {
  readonly config: KubeConfig
  /** URL without user name and password. */
  readonly server: string
  /** Where they came from, for messages: `the credentials of user "admin" in the kubeconfig "/k"`. */
  readonly credentials: string
}
