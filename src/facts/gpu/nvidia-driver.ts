import { completeText } from '../../host/host.ts'
import { type Detector, defineFact } from '../define-fact.ts'
import { Unsure } from '../fact.ts'
import { labelValue } from '../label-value.ts'
import { requireMounted } from '../numbers.ts'

export interface NvidiaDriver {
  /** `550.135`. */
  readonly version: string
  readonly open: boolean
}

const VERSION = '/proc/driver/nvidia/version'

/** The loaded NVIDIA kernel driver, or `none`. */
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

export const nvidiaDriverFact = defineFact({
  name: 'nvidia-driver',
  describes: 'version and kind of the loaded NVIDIA kernel driver',
  detect: detectNvidiaDriver,
  format: driver => (driver === 'none' ? 'none' : `${driver.version}${driver.open ? ' (open kernel module)' : ''}`),
  label: {
    name: 'gpu-driver',
    describes: 'version of the loaded NVIDIA kernel driver',
    values: 'version, `550.135`; no label without a driver',
    of: driver => (driver === 'none' ? undefined : labelValue(driver.version)),
    whenUnknown: undefined
  }
})
