/**
 * The only file that loads `@kubernetes/client-node`, and it loads only its credentials: kubeconfig files, exec plugins, OIDC and cloud
 * logins, the service account of a pod, and the proxies that a kubeconfig may name. That is code that we do not want to write. Requests
 * are our own (`../transport.ts`): the package makes a TCP connection and a TLS handshake for each request, cannot read a list item by
 * item, and has no metadata-only PATCH. Its index loads 700 models and the clients for watch, exec and copy. With the whole package in
 * place of this file (2.0.1, Node.js 24) the bundle grows from 1.40 to 2.49 MB, `berth --version` from 87 to 114 ms of CPU time and from
 * 65 to 76 MiB, and `berth fleet` up to its first request from 154 to 214 ms and from 76 to 91 MiB. So the deep import below stays, and
 * the types of Kubernetes objects, which cost nothing at run time, come from `../models.ts`.
 */
import type { RequestOptions } from 'node:https'
import type { RequestContext } from '@kubernetes/client-node'
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import type { Dispatcher } from 'undici'
import { ApiError } from '../api-error.ts'

export type { Cluster, User } from '@kubernetes/client-node'
export { KubeConfig }

const TLS_OPTIONS = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const

export type TlsOptions = Pick<RequestOptions, (typeof TLS_OPTIONS)[number]>

/** What one request needs to prove who sends it, and to check who answers. */
export interface RequestCredentials {
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsOptions
}

/**
 * Reads token, certificates and CA again for every request: they are rotated while we run. Throws `ApiError` (`CREDENTIALS`) where a file
 * cannot be read or an exec plugin fails.
 */
export async function requestCredentials(config: KubeConfig): Promise<RequestCredentials> {
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
  } catch (error) {
    const [firstLine] = (error as Error).message.split('\n')
    throw new ApiError(`cannot get the credentials for the Kubernetes API: ${firstLine}`, { code: 'CREDENTIALS', cause: error })
  }
  const tls = Object.fromEntries(TLS_OPTIONS.filter(name => options[name] !== undefined).map(name => [name, options[name]]))
  return { headers: headersFrom(options), tls }
}

function headersFrom({ auth, headers = {} }: RequestOptions): Readonly<Record<string, string>> {
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  // A token file ends with a newline, which a header must not contain.
  const others = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), `${value}`.trim()] as const)
  return { ...basic, ...Object.fromEntries(others) }
}

/** A dispatcher through the HTTP or SOCKS proxy that the cluster's `proxy-url` names; `undefined` where it names none. */
export async function proxyDispatcher(config: KubeConfig): Promise<Dispatcher | undefined> {
  if (!config.getCurrentCluster()?.proxyUrl) return undefined
  let dispatcher: Dispatcher | undefined
  // The method uses these two setters of its request context and nothing else; the headers are set by `requestCredentials`.
  const context = {
    setHeaderParam: () => undefined,
    setDispatcher: (made: Dispatcher) => {
      dispatcher = made
    }
  }
  await config.applySecurityAuthentication(context as unknown as RequestContext)
  return dispatcher
}
