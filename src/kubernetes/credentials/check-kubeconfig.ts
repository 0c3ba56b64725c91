import { checkKeyMaterial } from './check-key-material.ts'
import type { Cluster, KubeConfig } from './client-node.ts'
import type { Credentials } from './credentials.ts'
import { kubeconfigError } from './kubeconfig-error.ts'

/** Checks all that the current context needs before the first request, so that the message names what is wrong. Throws `ApiError`. */
export function checkKubeconfig(config: KubeConfig, where: string): Credentials {
  const { name, context } = currentContext(config, where)
  const cluster = config.getCluster(textOf(context.cluster))
  if (cluster === null)
    throw kubeconfigError(`${where} has no cluster "${textOf(context.cluster)}", which its context "${name}" names`)
  const user = config.getUser(textOf(context.user))
  if (user === null) throw kubeconfigError(`${where} has no user "${textOf(context.user)}", which its context "${name}" names`)
  checkKeyMaterial(cluster, user, where)
  return { config, server: checkServer(cluster, where), credentials: `the credentials of user "${user.name}" in ${where}` }
}

function currentContext({ contexts, currentContext: current }: KubeConfig, where: string) {
  const names = contexts.map(context => textOf(context.name)).filter(name => name !== '')
  const has = names.length > 0 ? `it has: ${names.join(', ')}` : 'it has none'
  const name = textOf(current)
  if (name === '')
    throw kubeconfigError(`${where} has no current-context; choose one with kubectl config use-context NAME (${has})`)
  const context = contexts.find(candidate => candidate.name === name)
  if (context === undefined) throw kubeconfigError(`${where} has no context "${name}", which is its current-context (${has})`)
  return { name, context }
}

/** client-node passes on whatever the YAML has in place of a name. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function checkServer({ name, server: given, skipTLSVerify }: Cluster, where: string): string {
  const server = textOf(given)
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw kubeconfigError(`${where}: the server of cluster "${name}" is "${server}"; expected a URL as in https://10.0.0.1:6443`)
  }
  if (url.protocol === 'http:' && !skipTLSVerify) {
    throw kubeconfigError(
      `${where}: the server of cluster "${name}" is "${withoutPassword(url)}", without TLS; expected https://, or insecure-skip-tls-verify: true for a proxy on this machine`
    )
  }
  return withoutPassword(url)
}

const withoutPassword = ({ protocol, host, pathname }: URL): string => `${protocol}//${host}${pathname.replace(/\/$/, '')}`
