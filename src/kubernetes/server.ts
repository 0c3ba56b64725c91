import * as z from 'zod/mini'
import { typedAnswer } from './answer.ts'
import { ApiError } from './api-error.ts'
import type { Connection } from './connection.ts'

/** Kubernetes' version, `v1.36.3`; empty where the server does not tell us. Throws `ApiError` when there is no Kubernetes API. */
export async function readVersion(connection: Connection, signal: AbortSignal): Promise<string> {
  try {
    const question = { tried: 'read the version of the API', whenMissing: 'check the URL of the server' }
    const answer = await connection.call<unknown>(question, { method: 'GET', path: '/version', signal })
    return typedAnswer(z.object({ gitVersion: z.catch(z.string(), '') }, 'an object'), answer, question.tried).gitVersion
  } catch (error) {
    // Whoever refuses us is there.
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return ''
    throw error
  }
}

/**
 * The API server's clock, in whole seconds, cut off. It dates the object by which it tells who asks; unlike the header `Date`, which
 * any proxy writes, that is its own word. Throws `ApiError`.
 */
export async function readServerTime(connection: Connection, signal: AbortSignal): Promise<Date> {
  const question = { tried: "ask for the API server's clock", whenMissing: 'this needs Kubernetes 1.28 or newer' }
  const answer = await connection.call<unknown>(question, {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    signal
  })
  const { metadata } = typedAnswer(DATED, answer, question.tried)
  const time = new Date(metadata.creationTimestamp)
  if (!Number.isNaN(time.getTime())) return time
  throw new ApiError('the API server does not date its answers', { code: 'GARBAGE' })
}

const DATED = z.object({ metadata: z.object({ creationTimestamp: z.catch(z.string(), '') }, 'an object') }, 'an object')
