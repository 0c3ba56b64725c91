/** The driver for Dynamic Resource Allocation (DRA) that offers NVIDIA GPUs. */
export const DRA_DRIVER = 'gpu.nvidia.com'

/** The devices that this driver publishes for one node in its ResourceSlices. */
export interface DraDevices {
  readonly devices: number
  /** Those of them whose taint keeps pods away: the driver found them broken, or somebody drains them. */
  readonly tainted: number
}

/** Asked only where the answer can count: the NVIDIA driver is loaded, and the Node's allocatable offers no GPU. */
export type ResourceSlices = { readonly asked: false } | ({ readonly asked: true } & DraDevices)

/** The devices for that node in a ResourceSliceList of resource.k8s.io/v1. A server may know no such field selector, so all is checked. */
export function parseResourceSlices(list: unknown, node: string): DraDevices {
  const devices = items(record(list)['items'])
    .map(slice => record(slice['spec']))
    .filter(({ driver, nodeName }) => driver === DRA_DRIVER && nodeName === node)
    .flatMap(spec => items(spec['devices']))
  return { devices: devices.length, tainted: devices.filter(isTainted).length }
}

const isTainted = ({ taints }: Readonly<Record<string, unknown>>): boolean =>
  items(taints).some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute')

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const items = (value: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.map(record) : [])
