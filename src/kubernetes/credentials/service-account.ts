import { checkKubeconfig } from './check-kubeconfig.ts'
import { KubeConfig } from './client-node.ts'
import type { Credentials } from './credentials.ts'
import { kubeconfigError } from './kubeconfig-error.ts'
import { tryRead } from './try-read.ts'

/** Where the kubelet mounts a pod's service account. */
const DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Loads the service account of the pod that we run in; `root` is a prefix of its path. Throws `ApiError`. */
export function loadServiceAccount(root: string): Credentials {
  const config = new KubeConfig()
  config.loadFromCluster(root)
  const server = config.getCurrentCluster()?.server ?? ''
  const token = tryRead(`${root}${DIRECTORY}/token`)
  // client-node writes variables that are not set into the URL as "undefined".
  if (token.ok && !/\/\/undefined|:undefined$/.test(server)) return checkKubeconfig(config, `the service account in ${DIRECTORY}`)
  const why = token.ok ? 'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set' : `${DIRECTORY}/token: ${token.why}`
  throw kubeconfigError(
    `there is no kubeconfig, and no service account of a pod (${why}); give --kubeconfig FILE or set KUBECONFIG, or let the pod mount its service account's token`
  )
}
