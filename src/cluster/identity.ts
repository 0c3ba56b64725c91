import { ApiError } from './api-error.ts'
import type { Connection } from './connection.ts'
import { METADATA_ONLY } from './own-node.ts'

/** Who the API server says that we are. */
export interface Identity {
  readonly user: string
  /** The Node that the token's pod runs on; empty for credentials that name none, such as an administrator's certificate. */
  readonly node: string
}

const NODE_CLAIM = 'authentication.kubernetes.io/node-name'

/** Asks the API server who we are. Throws `ApiError`. */
export async function identify(connection: Connection, signal: AbortSignal): Promise<Identity> {
  const review = await connection.call<Review>(
    { tried: 'ask who we are', whenMissing: 'this needs Kubernetes 1.28 or newer' },
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      signal
    }
  )
  const { username = '', extra = {} } = review.status?.userInfo ?? {}
  return { user: username, node: extra[NODE_CLAIM]?.[0] ?? '' }
}

/** A SelfSubjectReview, as far as it matters here. */
interface Review {
  readonly status?: {
    readonly userInfo?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> }
  }
}

/** Nobody's key, below no prefix of ours; it is never written, since whoever sends it asks for a dry run. */
const FOREIGN_KEY = 'guard-check.invalid/berth'

export interface Guard {
  readonly enforced: boolean
  /** What was tried and what came of it, for people. */
  readonly says: string
}

/**
 * Proves by dry runs that the admission policy refuses what it must refuse us: a foreign label on the own Node, through the Node and
 * through its status, which takes labels too. Throws `ApiError` when the question got no answer.
 */
export async function checkGuard(connection: Connection, name: string, signal: AbortSignal): Promise<Guard> {
  for (const path of [`/api/v1/nodes/${name}`, `/api/v1/nodes/${name}/status`]) {
    const refusal = await refusalOf(connection, path, signal)
    if (refusal === '') return { enforced: false, says: `the API would take a foreign label through ${path}` }
    if (!refusal.includes('ValidatingAdmissionPolicy')) {
      return {
        enforced: false,
        says: `the API refuses a foreign label through ${path}, but not by the admission policy: ${refusal}`
      }
    }
  }
  return { enforced: true, says: 'the admission policy refuses a foreign label, through the Node and through its status' }
}

/** What the API says against a foreign label, or an empty text when it would take it. */
async function refusalOf(connection: Connection, path: string, signal: AbortSignal): Promise<string> {
  try {
    await connection.call(
      { tried: 'try what the admission policy must refuse', whenMissing: 'kubectl get nodes' },
      {
        method: 'PATCH',
        path: `${path}?dryRun=All`,
        body: { metadata: { labels: { [FOREIGN_KEY]: 'dry-run' } } },
        contentType: 'application/merge-patch+json',
        accept: METADATA_ONLY,
        signal
      }
    )
    return ''
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 422)) return error.message
    throw error
  }
}
