import type { Attempt } from '../facts/fact.ts'
import { ApiError } from './api-error.ts'
import { METADATA_ONLY } from './call.ts'
import type { Connection } from './connection.ts'
import { parseMetadata } from './own-node/metadata.ts'

const ENFORCE = 'pod-security.kubernetes.io/enforce'

/**
 * The Pod Security level that a namespace enforces, empty where none is set. A namespace that we may not read, or that does not exist, is
 * a reason and not a failure, since other facts do not depend on it. Throws `ApiError` for all else.
 */
export async function readPodSecurity(connection: Connection, namespace: string): Promise<Attempt<string>> {
  try {
    const purpose = { action: `read the Namespace "${namespace}"`, ifNotFound: '' }
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
    const response = await connection.call<unknown>(purpose, { method: 'GET', path, accept: METADATA_ONLY })
    return { ok: true, value: parseMetadata(response, purpose.action).labels[ENFORCE] ?? '' }
  } catch (error) {
    const why = error instanceof ApiError ? REASONS[error.status]?.(namespace) : undefined
    if (why === undefined) throw error
    return { ok: false, why }
  }
}

const REASONS: Readonly<Record<number, (namespace: string) => string>> = {
  403: namespace =>
    `the API does not allow us to read the Namespace "${namespace}"; grant "get" on it (manifests/components/workspace-namespace, or the chart with this option), or set --privileged-workspaces`,
  404: namespace => `there is no Namespace "${namespace}" in this cluster; check --workspace-namespace`
}
