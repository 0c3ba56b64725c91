import { ApiError } from '../api-error.ts'
import { LIST_BYTES, METADATA_ONLY_LIST } from '../call.ts'
import type { Connection } from '../connection.ts'
import { type Page, pages } from './pages.ts'

/** A kind of objects to list. */
export interface Listed {
  /** As a role names it: `storageclasses`. */
  readonly resource: string
  /** `/apis/storage.k8s.io/v1/storageclasses` */
  readonly path: string
  /** Only this namespace; empty for all of them, and for cluster-wide objects. */
  readonly namespace?: string
  /** The response is the metadata alone. */
  readonly metadataOnly?: boolean
}

interface ObjectsPage<T> extends Page {
  readonly items?: readonly T[]
}

const LIMIT = 500

/** Every object of a kind, page by page. Throws `ApiError`; a refusal names the permission that is missing. */
export async function* listObjects<T>(connection: Connection, listed: Listed, signal: AbortSignal): AsyncGenerator<T> {
  const { resource, path, namespace, metadataOnly = false } = listed
  const purpose = { action: `list ${resource}`, ifNotFound: 'check the URL of the server' }
  const accept = metadataOnly ? METADATA_ONLY_LIST : 'application/json'
  const read = (page: string) =>
    connection.call<ObjectsPage<T>>(purpose, { method: 'GET', path: page, accept, signal, maxBytes: LIST_BYTES })
  try {
    for await (const { items } of pages({ path, limit: LIMIT, read })) yield* items ?? []
  } catch (error) {
    throw asMissingPermission(error, `list ${resource}${namespace ? ` in the Namespace "${namespace}"` : ''}`)
  }
}

/** A refusal (403) as a short sentence that names what a role must allow; every other error as it is. */
export function asMissingPermission(error: unknown, permission: string): unknown {
  if (!(error instanceof ApiError) || error.status !== 403) return error
  return new ApiError(`not checked: these credentials may not ${permission}`, { ...error, cause: error })
}
