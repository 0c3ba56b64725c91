import { ApiError } from './api-error.ts'
import { type Connection, LIST } from './connection.ts'

/** One kind of object that is listed. */
export interface Listed {
  /** As a role names it: `storageclasses`. */
  readonly resource: string
  /** `/apis/storage.k8s.io/v1/storageclasses` */
  readonly path: string
  /** In which namespace; empty for all of them, and for what has none. */
  readonly namespace?: string
  /** The answer is the metadata alone. */
  readonly metadataOnly?: boolean
}

interface Page<T> {
  readonly metadata?: { readonly continue?: string }
  readonly items?: readonly T[]
}

const PAGE = 500
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

/** Every object of a kind, page by page. Throws `ApiError`; a refusal names the permission that is missing. */
export async function* listAll<T>(connection: Connection, listed: Listed, signal: AbortSignal): AsyncGenerator<T> {
  let place = ''
  do {
    const query = new URLSearchParams({ limit: String(PAGE), ...(place === '' ? {} : { continue: place }) })
    const page = await onePage<T>(connection, listed, { query, signal })
    yield* page.items ?? []
    place = page.metadata?.continue ?? ''
  } while (place !== '')
}

interface Part {
  readonly query: URLSearchParams
  readonly signal: AbortSignal
}

async function onePage<T>(connection: Connection, listed: Listed, { query, signal }: Part): Promise<Page<T>> {
  const { resource, path, metadataOnly = false } = listed
  try {
    return await connection.call<Page<T>>(
      { tried: `list ${resource}`, whenMissing: 'check the URL of the server' },
      { method: 'GET', path: `${path}?${query}`, accept: metadataOnly ? METADATA_LIST : 'application/json', signal, most: LIST }
    )
  } catch (error) {
    throw asMissingPermission(error, `list ${resource}${listed.namespace ? ` in the Namespace "${listed.namespace}"` : ''}`)
  }
}

/** A refusal (403) as a short sentence that names what a role must allow; every other error as it is. */
export function asMissingPermission(error: unknown, permission: string): unknown {
  if (!(error instanceof ApiError) || error.status !== 403) return error
  return new ApiError(`not checked: these credentials may not ${permission}`, { ...error, cause: error })
}
