import type { Attempt } from '../facts/fact.ts'
import { DRA_DRIVER, type DraDevices, parseResourceSlices } from '../facts/resource-slices.ts'
import { ApiError } from './api-error.ts'
import type { Connection } from './connection.ts'
import { MIB } from './response-body.ts'

const FORBIDDEN =
  'the API does not allow us to list ResourceSlices (403); grant "list" on resourceslices of resource.k8s.io (manifests/base/rbac.yaml)'

/** Slices; one driver has far fewer for one node. */
const LIMIT = 100

/** The agent has little memory. */
const MAX_BYTES = 16 * MIB

/**
 * The devices that NVIDIA's DRA driver publishes for a node. They come from the API server's cache (resourceVersion=0), which has an index
 * by node; otherwise each agent would make etcd read the slices of all nodes. An API without resource.k8s.io/v1 has no devices. A list
 * that is forbidden is a reason and not a failure. Throws `ApiError` for all else.
 */
export async function readResourceSlices(connection: Connection, node: string): Promise<Attempt<DraDevices>> {
  const fieldSelector = `spec.nodeName=${node},spec.driver=${DRA_DRIVER}`
  const query = new URLSearchParams({ fieldSelector, limit: `${LIMIT}`, resourceVersion: '0' })
  try {
    const list = await connection.call<unknown>(
      { action: `list the ResourceSlices of the Node "${node}"`, ifNotFound: '' },
      { method: 'GET', path: `/apis/resource.k8s.io/v1/resourceslices?${query}`, maxBytes: MAX_BYTES }
    )
    return { ok: true, value: parseResourceSlices(list, node) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404) return { ok: true, value: { devices: 0, tainted: 0 } }
    if (error.status === 403) return { ok: false, why: FORBIDDEN }
    throw error
  }
}
