import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js'
import { load } from 'js-yaml'
import { ApiError } from './api-error.ts'

/** Where the credentials came from, and which cluster they name. */
export interface Loaded {
  /** URL without user name and password. */
  readonly server: string
  /** `the credentials of user "admin" in kubeconfig.yaml`. */
  readonly credentials: string
}

/** Where kubelet mounts a pod's own credentials. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Fills `config` from a file, or from a list of files with colons between, as KUBECONFIG may have it. Throws `ApiError`. */
export function loadKubeconfig(config: KubeConfig, path: string): Loaded {
  for (const file of filesOf(path)) merge(config, readConfig(file))
  return check(config, `the kubeconfig "${path}"`)
}

/** Fills `config` with the pod's own credentials; `root` stands before their path. Throws `ApiError`. */
export function loadServiceAccount(config: KubeConfig, root: string): Loaded {
  config.loadFromCluster(root)
  const { server } = config.getCurrentCluster() as Cluster
  const token = tryRead(`${root}${SERVICE_ACCOUNT}/token`)
  if (token.ok && !/\/\/undefined|:undefined$/.test(server)) return check(config, `the service account in ${SERVICE_ACCOUNT}`)
  const lacks = token.ok ? 'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set' : token.why
  throw wrong(
    `no way to a Kubernetes API was given, and this is no pod with credentials of its own (${lacks}); give --kubeconfig FILE or KUBECONFIG, or let the pod mount its service account's token`
  )
}

function filesOf(path: string): readonly string[] {
  const list = path.split(':').filter(file => file !== '')
  if (list.length < 2 || tryRead(path).ok) return [path]
  // kubectl skips those that are not there, and so do we unless that leaves none.
  const there = list.filter(file => tryRead(file).ok)
  return there.length > 0 ? there : list
}

function readConfig(file: string): KubeConfig {
  const text = tryRead(file)
  if (!text.ok) throw wrong(`the kubeconfig "${file}" cannot be read: ${text.why}; check --kubeconfig or KUBECONFIG`)
  const config = new KubeConfig()
  try {
    const raw = load(text.value.toString())
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw new Error('it is not a mapping')
    config.loadFromString(text.value.toString())
    supplyTokenFiles(config, raw)
    config.makePathsAbsolute(dirname(resolve(file)))
    supplyAbsoluteTokens(config, dirname(resolve(file)))
    return config
  } catch (error) {
    const [first] = (error as Error).message.split('\n')
    throw wrong(`the kubeconfig "${file}" is not one: ${first}; expected YAML with clusters, users and contexts`, error)
  }
}

/** kubectl's `tokenFile` is unknown to client-node, which would ask as nobody. */
function supplyTokenFiles({ users }: KubeConfig, raw: object): void {
  const entries =
    'users' in raw && Array.isArray(raw.users) ? (raw.users as { name?: string; user?: { tokenFile?: string } }[]) : []
  for (const { name, user } of entries) {
    const known = users.find(candidate => candidate.name === name) as { -readonly [Key in keyof User]: User[Key] } | undefined
    if (known === undefined || typeof user?.tokenFile !== 'string' || known.token) continue
    known.authProvider = { name: 'tokenFile', config: { tokenFile: user.tokenFile } }
  }
}

function supplyAbsoluteTokens({ users }: KubeConfig, directory: string): void {
  for (const { authProvider } of users) {
    const file = tokenFileOf(authProvider)
    if (file !== undefined && !isAbsolute(file)) authProvider.config.tokenFile = join(directory, file)
  }
}

const tokenFileOf = (provider: User['authProvider'] | undefined): string | undefined => {
  const file = provider?.config?.tokenFile
  return typeof file === 'string' ? file : undefined
}

/** The first of a name wins, as with kubectl; client-node's own merge throws instead. */
function merge(into: KubeConfig, from: KubeConfig): void {
  const added = <T extends { readonly name: string }>(old: T[], more: T[]): T[] => [
    ...old,
    ...more.filter(({ name }) => old.every(known => known.name !== name))
  ]
  into.loadFromOptions({
    clusters: added(into.clusters, from.clusters),
    users: added(into.users, from.users),
    contexts: added(into.contexts, from.contexts),
    currentContext: into.currentContext || from.currentContext
  })
}

/** YAML gives whatever it likes where a name should stand, and client-node passes it on. */
const word = (value: unknown): string => (typeof value === 'string' ? value : '')

function check(config: KubeConfig, where: string): Loaded {
  const names = config.contexts.map(({ name }) => word(name)).filter(name => name !== '')
  const wanted = word(config.currentContext)
  if (!wanted) throw wrong(`${where} has no current-context; choose one with kubectl config use-context NAME (${listed(names)})`)
  const context = config.contexts.find(({ name }) => name === wanted)
  if (context === undefined) throw wrong(`${where} has no context "${wanted}", which is its current-context (${listed(names)})`)
  const cluster = config.getCluster(word(context.cluster))
  if (cluster === null) throw wrong(`${where} has no cluster "${word(context.cluster)}", which its context "${wanted}" names`)
  const user = config.getUser(word(context.user))
  if (user === null) throw wrong(`${where} has no user "${word(context.user)}", which its context "${wanted}" names`)
  checkMaterial(cluster, user, where)
  return { server: checkServer(cluster, where), credentials: `the credentials of user "${user.name}" in ${where}` }
}

const listed = (names: readonly string[]): string => (names.length > 0 ? `it has: ${names.join(', ')}` : 'it has none')

function checkServer({ name, server: given, skipTLSVerify }: Cluster, where: string): string {
  const server = word(given)
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw wrong(`${where}: the server of cluster "${name}" is "${server}"; expected a URL as in https://10.0.0.1:6443`)
  }
  if (url.protocol === 'http:' && !skipTLSVerify) {
    throw wrong(
      `${where}: the server of cluster "${name}" is "${shown(url)}", without TLS; expected https://, or insecure-skip-tls-verify: true for a proxy on this machine`
    )
  }
  return shown(url)
}

const shown = ({ protocol, host, pathname }: URL): string => `${protocol}//${host}${pathname.replace(/\/$/, '')}`

/** Before the first request, so that a wrong file is named instead of being an odd TLS error. */
function checkMaterial({ caFile, caData }: Cluster, user: User, where: string): void {
  const tokenFile = tokenFileOf(user.authProvider)
  if (tokenFile !== undefined) material('tokenFile', tokenFile, undefined, where)
  const ca = material('certificate-authority', caFile, caData, where)
  if (ca !== undefined) usable('certificate-authority', { ca }, where)
  const cert = material('client-certificate', user.certFile, user.certData, where)
  const key = material('client-key', user.keyFile, user.keyData, where)
  if ((cert === undefined) !== (key === undefined)) {
    throw wrong(`${where}: user "${user.name}" has a client-certificate or a client-key without the other`)
  }
  if (cert !== undefined && key !== undefined) usable('client-certificate and client-key', { cert, key }, where)
}

function material(name: string, file: string | undefined, data: string | undefined, where: string): Buffer | undefined {
  if (!file) return data ? Buffer.from(data, 'base64') : undefined
  const content = tryRead(file)
  if (!content.ok) throw wrong(`${where}: ${name} "${file}" cannot be read: ${content.why}`)
  return content.value
}

/** OpenSSL passes over a CA that it cannot read, and then nothing is trusted: so it is read here. */
function usable(name: string, given: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>, where: string): void {
  try {
    if (given.ca !== undefined) new X509Certificate(given.ca as Buffer)
    if (given.key !== undefined) createSecureContext(given)
  } catch (error) {
    throw wrong(`${where}: ${name} cannot be used: ${(error as Error).message}; expected PEM`, error)
  }
}

type Read = { readonly ok: true; readonly value: Buffer } | { readonly ok: false; readonly why: string }

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory'
}

function tryRead(file: string): Read {
  try {
    return { ok: true, value: readFileSync(file) }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return { ok: false, why: READ_ERRORS[code] ?? message }
  }
}

const wrong = (message: string, cause?: unknown): ApiError => new ApiError(message, { code: 'KUBECONFIG', cause })
