import * as z from 'zod/mini'
import { typedAnswer } from './answer.ts'
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
  const question = { tried: 'ask who we are', whenMissing: 'this needs Kubernetes 1.28 or newer' }
  const answer = await connection.call<unknown>(question, {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    ...(signal && { signal })
  })
  const { username, extra } = typedAnswer(REVIEW, answer, question.tried).status.userInfo
  return { user: username, node: extra?.[NODE_CLAIM]?.[0] ?? '' }
}

/** A SelfSubjectReview, as far as it matters here. */
const REVIEW = z.object({
  status: z.object({
    userInfo: z.object({
      username: z.string('a text'),
      extra: z.nullish(z.record(z.string(), z.array(z.string('a text'), 'a list of texts'), 'a mapping'))
    })
  })
})
