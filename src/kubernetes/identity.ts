import * as z from 'zod/mini'
import type { Connection } from './connection.ts'
import { parseResponse } from './response-schema.ts'

/** Who we are for the API server. */
export interface Identity {
  readonly user: string
  /** The Node that the token's pod runs on; empty for credentials that name none, such as an administrator's certificate. */
  readonly node: string
}

const NODE_CLAIM = 'authentication.kubernetes.io/node-name'

/** Asks the API server who we are, by a SelfSubjectReview. Throws `ApiError`. */
export async function identify(connection: Connection, signal?: AbortSignal): Promise<Identity> {
  const purpose = { action: 'ask who we are', ifNotFound: 'this needs Kubernetes 1.28 or newer' }
  const response = await connection.call<unknown>(purpose, {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    ...(signal && { signal })
  })
  const { username, extra } = parseResponse(REVIEW, response, purpose.action).status.userInfo
  return { user: username, node: extra?.[NODE_CLAIM]?.[0] ?? '' }
}

/** The fields of a SelfSubjectReview that are used here. */
const REVIEW = z.object({
  status: z.object({
    userInfo: z.object({
      username: z.string('a text'),
      extra: z.nullish(z.record(z.string(), z.array(z.string('a text'), 'a list of texts'), 'a mapping'))
    })
  })
})
