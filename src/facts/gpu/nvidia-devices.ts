import { type Detector, defineFact } from '../define-fact.ts'
import { Unsure } from '../fact.ts'
import { unlessNotMounted } from '../not-mounted.ts'
import { DRIVER_ROOT } from './driver-container.ts'

export interface NvidiaDevices {
  /** /dev/nvidiactl is a character device, on the node or in the driver container of the GPU operator. */
  readonly control: boolean
  /** Number of GPUs that the driver manages. */
  readonly gpus: number
  readonly nouveau: boolean
}

export const detectNvidiaDevices: Detector<NvidiaDevices> = async ({ host }) => {
  const [dev, control, contained, gpus, nouveau] = await Promise.all([
    host.stat('/dev'),
    host.stat('/dev/nvidiactl'),
    unlessNotMounted(host.stat(`${DRIVER_ROOT}/dev/nvidiactl`)),
    host.list('/proc/driver/nvidia/gpus'),
    host.stat('/sys/module/nouveau')
  ])
  if (dev === undefined) throw new Unsure('/dev of the node is not mounted below the host root')
  const isOnNode = control?.kind === 'character'
  // A driver that manages GPUs has device files somewhere.
  if ('error' in contained && !isOnNode && (gpus?.length ?? 0) > 0) throw contained.error
  const isContained = 'value' in contained && contained.value?.kind === 'character'
  return { control: isOnNode || isContained, gpus: gpus?.length ?? 0, nouveau: nouveau !== undefined }
}

export const nvidiaDevicesFact = defineFact({
  name: 'nvidia-devices',
  describes: 'whether `/dev/nvidiactl` exists, the number of GPUs that the driver manages, and whether nouveau is loaded',
  detect: detectNvidiaDevices,
  format: ({ control, gpus, nouveau }) =>
    `${control ? '/dev/nvidiactl' : 'no /dev/nvidiactl'}, driver manages ${gpus === 1 ? '1 GPU' : `${gpus} GPUs`}${nouveau ? ', nouveau is loaded' : ''}`
})
