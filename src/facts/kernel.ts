import { completeText, type HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'

export interface Kernel {
  /** The output of `uname -r`, `5.15.0-1084-aws`. */
  readonly release: string
  readonly major: number
  readonly minor: number
}

const RELEASE = '/proc/sys/kernel/osrelease'

export const detectKernel: Detector<Kernel> = ({ host }) => readKernel(host)

/** `readKernel` reads the running kernel; detectors that read below `/lib/modules/RELEASE` need it too. */
export async function readKernel(host: HostReader): Promise<Kernel> {
  const text = await host.read(RELEASE)
  if (text === undefined) throw new Unsure(`${RELEASE} is missing: /proc of the node is not mounted below the host root`)
  const kernel = parseKernel(completeText(RELEASE, text))
  if (kernel === undefined) throw new Unsure(`${RELEASE} holds ${JSON.stringify(text.slice(0, 40))}, not a kernel release`)
  return kernel
}

/** Only the leading `N.N` counts: distributions append suffixes (`5.15.133+`, `6.6.150.1-1.azl3`). */
export function parseKernel(text: string): Kernel | undefined {
  const release = text.trim()
  // The release becomes part of paths, so it must not contain a slash or begin with a dot.
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})(?![\d])[\w.+~-]*$/.exec(release) ?? []
  return major === undefined || minor === undefined ? undefined : { release, major: Number(major), minor: Number(minor) }
}

export type Version = readonly [major: number, minor: number]

/** `atLeast` compares by numbers: 5.10 is above 5.9. */
export const atLeast = (kernel: Pick<Kernel, 'major' | 'minor'>, [major, minor]: Version): boolean =>
  kernel.major > major || (kernel.major === major && kernel.minor >= minor)

export const kernelFact = defineFact({
  name: 'kernel',
  describes: 'release of the running kernel',
  detect: detectKernel,
  format: ({ release }) => release,
  label: {
    name: 'kernel',
    describes: 'version of the running kernel',
    values: 'major.minor, `5.15`',
    of: ({ major, minor }) => `${major}.${minor}`,
    whenUnknown: undefined
  }
})
