import type { HostReader } from '../../host/host.ts'
import { type Detector, defineFact } from '../define-fact.ts'
import { Unsure } from '../fact.ts'
import { listed } from '../listed.ts'

export type GpuVendor = 'nvidia' | 'amd' | 'intel'

export interface Gpu {
  /** PCI address, `0000:00:1e.0`. */
  readonly address: string
  readonly vendor: GpuVendor
  /** The driver that is bound to the device; empty without one. */
  readonly driver: string
}

/**
 * PCI class prefixes of GPUs. The audio, USB and NVSwitch functions of NVIDIA have other classes.
 * The graphics of an Intel processor are not counted; they are always device 00:02.0.
 */
const CLASSES: Readonly<Record<string, readonly [GpuVendor, readonly string[]]>> = {
  '0x10de': ['nvidia', ['0x0300', '0x0302']],
  '0x1002': ['amd', ['0x0300', '0x0302', '0x0380', '0x1200']],
  '0x8086': ['intel', ['0x0300', '0x0380']]
}

const DEVICES = '/sys/bus/pci/devices'

/** `detectGpus` lists GPUs and accelerators, with any driver or none. */
export const detectGpus: Detector<readonly Gpu[]> = async ({ host }) => {
  const addresses = await host.list(DEVICES)
  if (addresses === undefined) {
    if ((await host.stat('/sys/bus')) === undefined) throw new Unsure('/sys of the node is not mounted below the host root')
    return []
  }
  const found = await Promise.all(addresses.map(address => readGpu(host, address)))
  return found.filter(gpu => gpu !== undefined)
}

async function readGpu(host: HostReader, address: string): Promise<Gpu | undefined> {
  const directory = `${DEVICES}/${address}`
  const vendor = vendorOf(await readHex(host, `${directory}/vendor`, 4))
  if (vendor === undefined) return undefined
  const [name, classes] = vendor
  const kind = await readHex(host, `${directory}/class`, 6)
  if (!classes.some(prefix => kind.startsWith(prefix))) return undefined
  if (name === 'intel' && address === '0000:00:02.0') return undefined
  const driver = await host.realpath(`${directory}/driver`)
  return { address, vendor: name, driver: driver?.split('/').at(-1) ?? '' }
}

const vendorOf = (id: string) => CLASSES[id]

async function readHex(host: HostReader, path: string, digits: number): Promise<string> {
  const text = (await host.read(path)) ?? ''
  if (!new RegExp(`^0x[0-9a-f]{${digits}}\\n?$`).test(text)) throw new Unsure(`${path} does not hold a PCI id`)
  return text.trim()
}

/** A node with GPUs of several vendors is labelled with the first of these. */
const GPU_ORDER = ['nvidia', 'amd', 'intel'] as const

export const gpusFact = defineFact({
  name: 'gpus',
  describes: 'NVIDIA, AMD and Intel devices on PCI, with the driver bound to each',
  detect: detectGpus,
  format: gpus =>
    listed(
      gpus.map(({ vendor, address, driver }) => `${vendor} ${address} (${driver || 'no driver'})`),
      'none'
    ),
  label: {
    name: 'gpu-hardware',
    describes: "vendor of the node's GPUs; with GPUs of several vendors the first in this list",
    values: '`nvidia` `amd` `intel` `none` `unknown`, whatever the driver',
    of: found => GPU_ORDER.find(vendor => found.some(gpu => gpu.vendor === vendor)) ?? 'none',
    whenUnknown: 'unknown'
  }
})
