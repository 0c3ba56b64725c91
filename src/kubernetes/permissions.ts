import type { Connection } from './connection.ts'

/** As a role names it; `nodes/status` is the status of nodes. */
export interface Permission {
  readonly verb: string
  readonly resource: string
  /** The core group by default. */
  readonly group?: string
  /** Of the one object; all objects by default. */
  readonly name?: string
  /** All namespaces by default. */
  readonly namespace?: string
}

/** The field of a SelfSubjectAccessReview that is used here. */
interface Review {
  readonly status?: { readonly allowed?: boolean }
}

/** Those of the permissions that we have, in the same order. Every user may ask the API server this. Throws `ApiError`. */
export async function grantedOf(
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
  // For the API a Namespace is within itself.
  const namespace = kind === 'namespaces' ? name : within
  const review = await connection.call<Review>(
    { action: 'ask for our permissions', ifNotFound: 'check the URL of the server' },
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
