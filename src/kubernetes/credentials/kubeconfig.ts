import { dirname, isAbsolute, join, resolve } from 'node:path'
import { load } from 'js-yaml'
import { checkKubeconfig } from './check-kubeconfig.ts'
import { KubeConfig, type User } from './client-node.ts'
import type { Credentials } from './credentials.ts'
import { kubeconfigError } from './kubeconfig-error.ts'
import { tryRead } from './try-read.ts'

/** Loads a kubeconfig from a file, or from a list of files separated by colons, as KUBECONFIG may have it. Throws `ApiError`. */
export function loadKubeconfig(path: string): Credentials {
  const config = filesOf(path).map(readConfig).reduce(merged)
  return checkKubeconfig(config, `the kubeconfig "${path}"`)
}

/** At least one. kubectl skips files of a list that do not exist, and so do we, unless none exists. */
function filesOf(path: string): readonly string[] {
  const files = path.split(':').filter(file => file !== '')
  if (files.length < 2 || tryRead(path).ok) return [path]
  const existing = files.filter(file => tryRead(file).ok)
  return existing.length > 0 ? existing : files
}

function readConfig(file: string): KubeConfig {
  const text = tryRead(file)
  if (!text.ok) throw kubeconfigError(`the kubeconfig "${file}" cannot be read: ${text.why}; check --kubeconfig or KUBECONFIG`)
  try {
    return parseConfig(text.value.toString(), dirname(resolve(file)))
  } catch (error) {
    const [firstLine] = (error as Error).message.split('\n')
    throw kubeconfigError(`"${file}" is not a kubeconfig: ${firstLine}; expected YAML with clusters, users and contexts`, error)
  }
}

function parseConfig(text: string, directory: string): KubeConfig {
  const raw = load(text)
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw new Error('it is not a mapping')
  const config = new KubeConfig()
  config.loadFromString(text)
  addTokenFiles(config, raw)
  config.makePathsAbsolute(directory)
  makeTokenFilesAbsolute(config, directory)
  return config
}

/** client-node does not know kubectl's `tokenFile`, and would send requests without a token. */
function addTokenFiles({ users }: KubeConfig, raw: object): void {
  const entries =
    'users' in raw && Array.isArray(raw.users) ? (raw.users as { name?: string; user?: { tokenFile?: string } }[]) : []
  for (const { name, user } of entries) {
    const known = users.find(candidate => candidate.name === name) as { -readonly [Key in keyof User]: User[Key] } | undefined
    if (known === undefined || typeof user?.tokenFile !== 'string' || known.token) continue
    known.authProvider = { name: 'tokenFile', config: { tokenFile: user.tokenFile } }
  }
}

function makeTokenFilesAbsolute({ users }: KubeConfig, directory: string): void {
  for (const { authProvider } of users) {
    const file: unknown = authProvider?.config?.tokenFile
    if (typeof file === 'string' && !isAbsolute(file)) authProvider.config.tokenFile = join(directory, file)
  }
}

/** Of entries with the same name the first counts, as with kubectl; client-node's own merge throws instead. */
function merged(first: KubeConfig, second: KubeConfig): KubeConfig {
  const both = <T extends { readonly name: string }>(left: readonly T[], right: readonly T[]): T[] => [
    ...left,
    ...right.filter(({ name }) => left.every(known => known.name !== name))
  ]
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: both(first.clusters, second.clusters),
    users: both(first.users, second.users),
    contexts: both(first.contexts, second.contexts),
    currentContext: first.currentContext || second.currentContext
  })
  return config
}
