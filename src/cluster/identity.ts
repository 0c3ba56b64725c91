import type { Connection } from './connection.ts'

/** Who the API server says that we are. */
export interface Identity {
  readonly user: string
  /** The Node that the token's pod runs on; empty for credentials that name none, such as an administrator's certificate. */
  readonly node: string
}

const NODE_CLAIM = 'authentication.kubernetes.io/node-name'

/** Asks the API server who we are. Throws `ApiError`. */
export async function identify(connection: Connection, signal?: AbortSignal): Promise<Identity> {
  const review = await connection.call<Review>(
    { tried: 'ask who we are', whenMissing: 'this needs Kubernetes 1.28 or newer' },
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      ...(signal && { signal })
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
