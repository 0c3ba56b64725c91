import * as z from 'zod/mini'
import { part, parts, TEXT } from './lenient-schema.ts'

/** The driver for Dynamic Resource Allocation (DRA) that offers NVIDIA GPUs. */
export const DRA_DRIVER = 'gpu.nvidia.com'

/** The devices that this driver publishes for one node in its ResourceSlices. */
export interface DraDevices {
  readonly devices: number
  /** Devices with a taint that keeps pods away: the driver found them broken, or they are being drained. */
  readonly tainted: number
}

/** ResourceSlices are read only if the NVIDIA driver is loaded and the Node's allocatable has no GPU; otherwise `asked` is false. */
export type ResourceSlices = { readonly asked: false } | ({ readonly asked: true } & DraDevices)

/**
 * `parseResourceSlices` counts the devices for one node in a ResourceSliceList of resource.k8s.io/v1. An API server may not support the
 * field selectors of the request, so driver and node are compared here too.
 */
export function parseResourceSlices(list: unknown, node: string): DraDevices {
  const devices = z
    .parse(LIST, list)
    .items.filter(({ spec }) => spec.driver === DRA_DRIVER && spec.nodeName === node)
    .flatMap(({ spec }) => spec.devices)
  return { devices: devices.length, tainted: devices.filter(({ taints }) => taints.some(keepsPodsAway)).length }
}

const LIST = part({
  items: parts({ spec: part({ driver: TEXT, nodeName: TEXT, devices: parts({ taints: parts({ effect: TEXT }) }) }) })
})

const keepsPodsAway = ({ effect }: { readonly effect: string }): boolean => effect === 'NoSchedule' || effect === 'NoExecute'
