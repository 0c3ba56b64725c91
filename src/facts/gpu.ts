import { completeText, type HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { labelValue } from './label-value.ts'
import { listed } from './listed.ts'
import { nodeMounts } from './mounts.ts'
import { unlessNotMounted } from './not-mounted.ts'
import { requireMounted } from './numbers.ts'

export type GpuVendor = 'nvidia' | 'amd' | 'intel'

export interface Gpu {
  /** PCI address, `0000:00:1e.0`. */
  readonly address: string
  readonly vendor: GpuVendor
  /** The driver that is bound to it, empty when none is. */
  readonly driver: string
}

/**
 * PCI class prefixes that mean a device to compute with. NVIDIA's audio, USB and NVSwitch functions have others.
 * The graphics of an Intel processor draw a console and route no work; they are always device 00:02.0.
 */
const CLASSES: Readonly<Record<string, readonly [GpuVendor, readonly string[]]>> = {
  '0x10de': ['nvidia', ['0x0300', '0x0302']],
  '0x1002': ['amd', ['0x0300', '0x0302', '0x0380', '0x1200']],
  '0x8086': ['intel', ['0x0300', '0x0380']]
}

const DEVICES = '/sys/bus/pci/devices'

/** The display and accelerator devices that are meant for work, whatever their driver. */
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
  if (!new RegExp(`^0x[0-9a-f]{${digits}}\\n?$`).test(text)) throw new Unsure(`${path} is no PCI number`)
  return text.trim()
}

export interface NvidiaDriver {
  /** `550.135`. */
  readonly version: string
  readonly open: boolean
}

const VERSION = '/proc/driver/nvidia/version'

/** The NVIDIA kernel driver that is loaded; `none` without one. */
export const detectNvidiaDriver: Detector<NvidiaDriver | 'none'> = async ({ host }) => {
  await requireMounted(host, 'proc')
  const text = await host.read(VERSION)
  if (text === undefined) return 'none'
  const driver = parseNvidiaVersion(completeText(VERSION, text))
  if (driver === undefined) throw new Unsure(`${VERSION} has no driver version`)
  return driver
}

/** `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build …` */
export function parseNvidiaVersion(text: string): NvidiaDriver | undefined {
  const [, open, version] = /^NVRM version:.*?(Open )?Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)\s/m.exec(text) ?? []
  return version === undefined ? undefined : { version, open: open !== undefined }
}

/** Where the driver container of NVIDIA's GPU operator mounts its root file system on the node. */
const DRIVER_ROOT = '/run/nvidia/driver'
/** Of Debian and Ubuntu by architecture, of Red Hat and Amazon, and of the rest. */
const LIBRARY_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'] as const

/**
 * The versions of NVIDIA's management library that containers may be given, by the file that `libnvidia-ml.so.1` leads to; empty where
 * there is none in a usual place.
 */
export const detectNvidiaLibrary: Detector<readonly string[]> = async ({ host }) => {
  const paths = ['', DRIVER_ROOT].flatMap(root => LIBRARY_FOLDERS.map(folder => `${root}${folder}/libnvidia-ml.so.1`))
  const found = await Promise.all(
    paths.map(path => (path.startsWith(DRIVER_ROOT) ? ifThere(host, host.realpath(path)) : host.realpath(path)))
  )
  return [...new Set(found.flatMap(path => parseLibraryVersion(path ?? '') ?? []))].toSorted()
}

/**
 * What a look into the driver container's root finds. Where that is not mounted into the agent's pod, the node's mounts tell whether
 * there is one: the container mounts its root there (`mount --rbind / /run/nvidia/driver`, nvidia-driver of gpu-driver-container).
 */
async function ifThere<T>(host: HostReader, look: Promise<T | undefined>): Promise<T | undefined> {
  const found = await unlessNotMounted(look)
  if ('value' in found) return found.value
  if ((await nodeMounts(host)).some(({ mountPoint }) => `${mountPoint}/`.startsWith(`${DRIVER_ROOT}/`))) throw found.error
  return undefined
}

/** `/usr/lib64/libnvidia-ml.so.550.135` */
export const parseLibraryVersion = (path: string): string | undefined =>
  /\/libnvidia-ml\.so\.(\d+\.\d+(?:\.\d+)*)$/.exec(path)?.[1]

export interface NvidiaDevices {
  /** /dev/nvidiactl is a character device, on the node or in the driver container of the GPU operator. */
  readonly control: boolean
  /** How many GPUs the driver has taken. */
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
  // A driver that has GPUs has its devices somewhere.
  if ('error' in contained && !isOnNode && (gpus?.length ?? 0) > 0) throw contained.error
  const isContained = 'value' in contained && contained.value?.kind === 'character'
  return { control: isOnNode || isContained, gpus: gpus?.length ?? 0, nouveau: nouveau !== undefined }
}

/** Whether a GPU is split into instances (MIG): its driver lists them, or the Node offers them. */
export const detectMig: Detector<boolean> = async ({ host, node }) => {
  if (Object.keys(node?.allocatable ?? {}).some(name => name.startsWith('nvidia.com/mig-'))) return true
  await requireMounted(host, 'proc')
  const directory = '/proc/driver/nvidia/capabilities'
  const names = (await host.list(directory)) ?? []
  const split = await Promise.all(
    names
      .filter(name => /^gpu\d+$/.test(name))
      .map(async name => ((await host.list(`${directory}/${name}/mig`)) ?? []).some(entry => /^gi\d+$/.test(entry)))
  )
  return split.includes(true)
}

/** A node with GPUs of two makers is labelled with the first of these. */
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
    values: '`nvidia` `amd` `intel` `none` `unknown`, whatever the driver',
    of: found => GPU_ORDER.find(vendor => found.some(gpu => gpu.vendor === vendor)) ?? 'none',
    whenUnknown: 'unknown'
  }
})

export const nvidiaDriverFact = defineFact({
  name: 'nvidia-driver',
  describes: 'the NVIDIA kernel driver that is loaded',
  detect: detectNvidiaDriver,
  format: driver => (driver === 'none' ? 'none' : `${driver.version}${driver.open ? ' (open kernel module)' : ''}`),
  label: {
    name: 'gpu-driver',
    values: 'version of the NVIDIA driver, `550.135`; absent without one',
    of: driver => (driver === 'none' ? undefined : labelValue(driver.version)),
    whenUnknown: undefined
  }
})

export const nvidiaDevicesFact = defineFact({
  name: 'nvidia-devices',
  describes: '`/dev/nvidiactl`, GPUs that the driver has, nouveau',
  detect: detectNvidiaDevices,
  format: ({ control, gpus, nouveau }) =>
    `${control ? '/dev/nvidiactl' : 'no /dev/nvidiactl'}, driver has ${gpus === 1 ? '1 GPU' : `${gpus} GPUs`}${nouveau ? ', nouveau is loaded' : ''}`
})

export const nvidiaLibraryFact = defineFact({
  name: 'nvidia-library',
  describes: 'version of `libnvidia-ml.so.1`, on the node and in the driver container',
  detect: detectNvidiaLibrary,
  format: versions => listed(versions, 'not found')
})

export const migFact = defineFact({
  name: 'mig',
  describes: 'whether a GPU is split into instances',
  detect: detectMig,
  format: split => (split ? 'on' : 'off')
})
