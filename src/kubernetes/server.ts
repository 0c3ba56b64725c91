import * as z from 'zod/mini'
import { ApiError } from './api-error.ts'
import type { Connection } from './connection.ts'
import { parseResponse } from './response-schema.ts'

/** The version of Kubernetes, `v1.36.3`; empty where the server does not say. Throws `ApiError` when there is no Kubernetes API. */
export async function readVersion(connection: Connection, signal: AbortSignal): Promise<string> {
  try {
    const purpose = { action: 'read the version of the API', ifNotFound: 'check the URL of the server' }
    const response = await connection.call<unknown>(purpose, { method: 'GET', path: '/version', signal })
    return parseResponse(z.object({ gitVersion: z.catch(z.string(), '') }, 'an object'), response, purpose.action).gitVersion
  } catch (error) {
    // A server that refuses us is an API server.
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return ''
    throw error
  }
}

/**
 * The API server's clock, rounded down to seconds. It is the creation time of a SelfSubjectReview: the header `Date` may be that of a
 * proxy. Throws `ApiError`.
 */
export async function readServerTime(connection: Connection, signal: AbortSignal): Promise<Date> {
  const purpose = { action: "read the API server's clock", ifNotFound: 'this needs Kubernetes 1.28 or newer' }
  const response = await connection.call<unknown>(purpose, {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    signal
  })
  const { metadata } = parseResponse(DATED, response, purpose.action)
  const time = new Date(metadata.creationTimestamp)
  if (!Number.isNaN(time.getTime())) return time
  throw new ApiError('the API server sends no creation time', { code: 'INVALID_RESPONSE' })
}

const DATED = z.object({ metadata: z.object({ creationTimestamp: z.catch(z.string(), '') }, 'an object') }, 'an object')
