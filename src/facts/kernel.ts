import { completeText, type HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { requireMounted } from './numbers.ts'

export interface Kernel {
  /** As `uname -r` prints it, `5.15.0-1084-aws`. */
  readonly release: string
  readonly major: number
  readonly minor: number
}

const RELEASE = '/proc/sys/kernel/osrelease'

export const detectKernel: Detector<Kernel> = ({ host }) => readKernel(host)

/** The running kernel. Detectors that look below `/lib/modules/REL` ask this too. */
export async function readKernel(host: HostReader): Promise<Kernel> {
  const text = await host.read(RELEASE)
  if (text === undefined) throw new Unsure(`${RELEASE} is not there: /proc of the node is not mounted below the host root`)
  const kernel = parseKernel(completeText(RELEASE, text))
  if (kernel === undefined) throw new Unsure(`${RELEASE} holds ${JSON.stringify(text.slice(0, 40))}, not a kernel release`)
  return kernel
}

const SIGNATURE = '/proc/version_signature'

/**
 * The upstream version that an Ubuntu kernel is made from, `5.15.78`; its own release says nothing of it, and cloud flavours count theirs
 * differently. Empty where no such file is there, that is on any other kernel.
 */
export const detectUpstream: Detector<string> = async ({ host }) => {
  const text = await host.read(SIGNATURE)
  if (text === undefined) {
    await requireMounted(host, 'proc')
    return ''
  }
  const upstream = parseSignature(text)
  if (upstream === undefined) throw new Unsure(`${SIGNATURE} holds ${JSON.stringify(text.slice(0, 60))}, which names no version`)
  return upstream
}

/** `Ubuntu 5.15.0-1028.33-gke 5.15.78` */
export const parseSignature = (text: string): string | undefined => /^Ubuntu \S+ (\d{1,3}\.\d{1,3}\.\d{1,4})\n$/.exec(text)?.[1]

/** Only the leading `N.N` counts: distributions append what they like (`5.15.133+`, `6.6.150.1-1.azl3`). */
export function parseKernel(text: string): Kernel | undefined {
  const release = text.trim()
  // The release becomes part of paths, so it may not hold a slash or begin with a dot.
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})(?![\d])[\w.+~-]*$/.exec(release) ?? []
  return major === undefined || minor === undefined ? undefined : { release, major: Number(major), minor: Number(minor) }
}

export type Version = readonly [major: number, minor: number]

/** Whether the kernel is at or above a version, by numbers: 5.10 is above 5.9. */
export const atLeast = (kernel: Pick<Kernel, 'major' | 'minor'>, [major, minor]: Version): boolean =>
  kernel.major > major || (kernel.major === major && kernel.minor >= minor)

export const detectArchitecture: Detector<string> = ({ host }) => host.arch()

/** The kernel's command line. The kernel ends it with a newline, so a text without one was cut, and may lack the word that decides. */
export async function readCommandLine(host: HostReader): Promise<string> {
  const path = '/proc/cmdline'
  const text = await host.read(path)
  if (text === undefined) throw new Unsure(`${path} is not there`)
  if (!/^(?:\t|\P{Cc})*\n$/u.test(text)) throw new Unsure(`${path} is not one line of text`)
  return text
}

/** A new one at every boot; what was proved before it is not proved any more. */
export const detectBootId: Detector<string> = async ({ host }) => {
  const path = '/proc/sys/kernel/random/boot_id'
  const text = await host.read(path)
  if (text === undefined || !/^[0-9a-f-]{36}\n?$/.test(text)) throw new Unsure(`${path} holds no boot id`)
  return text.trim()
}

export const kernelFact = defineFact({
  name: 'kernel',
  describes: 'release of the running kernel',
  detect: detectKernel,
  format: ({ release }) => release,
  label: { name: 'kernel', values: 'major.minor, `5.15`', of: ({ major, minor }) => `${major}.${minor}`, whenUnknown: undefined }
})

export const upstreamKernelFact = defineFact({
  name: 'upstream-kernel',
  describes: 'the upstream version that an Ubuntu kernel is made from',
  detect: detectUpstream,
  format: version => version || 'not told by this kernel'
})

export const architectureFact = defineFact({
  name: 'architecture',
  describes: 'amd64, arm64, …',
  detect: detectArchitecture,
  format: arch => arch
})

export const bootIdFact = defineFact({
  name: 'boot-id',
  describes: 'the boot in which everything was observed',
  detect: detectBootId,
  format: id => id
})
