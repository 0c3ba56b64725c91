import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface KubeconfigParts {
  readonly cluster: Readonly<Record<string, unknown>>
  readonly user?: Readonly<Record<string, unknown>>
}

/** Writes a kubeconfig with one cluster, one user and one context, and returns its path. Test files share a directory. */
export async function writeKubeconfig(directory: string, { cluster, user = {} }: KubeconfigParts): Promise<string> {
  const path = join(directory, `kubeconfig-${randomUUID()}.json`)
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
    contexts: [{ name: 'here', context: { cluster: 'there', user: 'me' } }],
    clusters: [{ name: 'there', cluster }],
    users: [{ name: 'me', user }]
  }
  await writeFile(path, JSON.stringify(config))
  return path
}
