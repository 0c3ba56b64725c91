import type { Connection } from './connection.ts'

/** As a role names it; `nodes/status` is the status of nodes. */
export interface Permission {
  readonly verb: string
  readonly resource: string
  /** The core group where none is named. */
  readonly group?: string
  /** Of the one object; all of them where none is named. */
  readonly name?: string
  /** All of them where none is named. */
  readonly namespace?: string
}

/** A SelfSubjectAccessReview, as far as it matters here. */
interface Review {
  readonly status?: { readonly allowed?: boolean }
}

/** Those of the permissions that the API server gives us, in the same order. Every user may ask this. Throws `ApiError`. */
export async function allowedOf(
  connection: Connection,
  permissions: readonly Permission[],
  signal: AbortSignal
): Promise<readonly Permission[]> {
  const answers = await Promise.all(permissions.map(permission => isAllowed(connection, permission, signal)))
  return permissions.filter((_, index) => answers[index])
}

async function isAllowed(
  connection: Connection,
  { verb, resource, group = '', name = '', namespace: within = '' }: Permission,
  signal: AbortSignal
): Promise<boolean> {
  const [kind = '', part = ''] = resource.split('/')
  // A Namespace counts as within itself.
  const namespace = kind === 'namespaces' ? name : within
  const review = await connection.call<Review>(
    { tried: 'ask what we may do', whenMissing: 'check the URL of the server' },
    {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb, group, resource: kind, subresource: part, name, namespace } }
      },
      signal
    }
  )
  return review.status?.allowed === true
}
