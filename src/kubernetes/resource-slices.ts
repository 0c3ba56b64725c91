import type { Attempt } from '../facts/fact.ts'
import { DRA_DRIVER, type DraDevices, parseResourceSlices } from '../facts/resource-slices.ts'
import { ApiError } from './api-error.ts'
import { MIB } from './bounded.ts'
import type { Connection } from './connection.ts'

const FORBIDDEN =
  'the API forbids us to list ResourceSlices (403); grant "list" on resourceslices of resource.k8s.io (manifests/base/rbac.yaml)'

/** Far more slices than one driver has for one node. */
const LIMIT = 100

/** The agent has little memory. */
const MOST = 16 * MIB

/**
 * The devices that NVIDIA's DRA driver publishes for a node. From the API server's memory (resourceVersion=0), which has an index by
 * node: else each agent would have etcd read the slices of all nodes. An API without resource.k8s.io/v1 has none. A list that is
 * forbidden is a reason and no failure. Throws `ApiError` for all else.
 */
export async function readResourceSlices(connection: Connection, node: string): Promise<Attempt<DraDevices>> {
  const fieldSelector = `spec.nodeName=${node},spec.driver=${DRA_DRIVER}`
  const query = new URLSearchParams({ fieldSelector, limit: `${LIMIT}`, resourceVersion: '0' })
  try {
    const list = await connection.call<unknown>(
      { tried: `list the ResourceSlices of the Node "${node}"`, whenMissing: '' },
      { method: 'GET', path: `/apis/resource.k8s.io/v1/resourceslices?${query}`, most: MOST }
    )
    return { ok: true, value: parseResourceSlices(list, node) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404) return { ok: true, value: { devices: 0, tainted: 0 } }
    if (error.status === 403) return { ok: false, why: FORBIDDEN }
    throw error
  }
}
