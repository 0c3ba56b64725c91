import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { requireMounted } from './numbers.ts'

export interface Fuse {
  /** /proc/filesystems has `nodev fuse`: the driver is loaded or built in. */
  readonly registered: boolean
  /** The device node, if it exists. It proves nothing about the driver. */
  readonly device: { readonly number: string; readonly mode: number } | undefined
}

/** fuse is misc device 10:229 (Documentation/admin-guide/devices.txt). */
export const FUSE_DEVICE = '10:229'

export const detectFuse: Detector<Fuse> = async ({ host }) => {
  await requireMounted(host, 'proc')
  const lines = await host.lines('/proc/filesystems', /^nodev\tfuse$/)
  if (lines === undefined) throw new Unsure('/proc/filesystems is missing')
  const [directory, device] = await Promise.all([host.stat('/dev'), host.stat('/dev/fuse')])
  if (directory === undefined) throw new Unsure('/dev of the node is not mounted below the host root')
  return {
    registered: lines.length > 0,
    device: device && { number: device.kind === 'character' ? device.device : device.kind, mode: device.mode }
  }
}

export const fuseFact = defineFact({
  name: 'fuse',
  describes: 'whether the FUSE driver is registered, and type and mode of `/dev/fuse`',
  detect: detectFuse,
  format: ({ registered, device }) =>
    `${registered ? 'registered' : 'not registered'}, ${device ? `/dev/fuse ${device.number} mode ${device.mode.toString(8).padStart(4, '0')}` : 'no /dev/fuse'}`
})
