import type { HostReader } from '../host/host.ts'
import { Unsure } from './fact.ts'

/** A whole number in the kernel's format for a sysctl: only digits and white space, and at most 15 digits, so that it is exact. */
export function parseCount(text: string): number | undefined {
  return /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined
}

/** The number in a sysctl or parameter file; `undefined` if the file does not exist. Throws `Unsure` on anything but a number. */
export async function readCount(host: HostReader, path: string): Promise<number | undefined> {
  const text = await host.read(path)
  if (text === undefined) return undefined
  const count = parseCount(text)
  if (count === undefined) throw new Unsure(`${path} holds ${JSON.stringify(text.slice(0, 40))}, not a number`)
  return count
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['Y', true],
  ['1', true],
  ['N', false],
  ['0', false]
])

/**
 * Y or N in the format of a kernel module parameter; `undefined` if the file does not exist.
 * Throws `Unsure` on anything else.
 */
export async function readFlag(host: HostReader, path: string): Promise<boolean | undefined> {
  const text = await host.read(path)
  if (text === undefined) return undefined
  const flag = FLAGS.get(text.trim())
  if (flag === undefined) throw new Unsure(`${path} holds ${JSON.stringify(text.slice(0, 40))}, not Y or N`)
  return flag
}

/** Paths that exist in every mounted /proc and /sys. */
export const MOUNT_SIGNS = { proc: '/proc/sys/kernel', sys: '/sys/kernel' } as const

/**
 * A missing file below /proc or /sys is an answer only if those file systems are mounted: a host root without its submounts would
 * otherwise look like a node with nothing enabled.
 */
export async function requireMounted(host: HostReader, kind: 'proc' | 'sys'): Promise<void> {
  const sign = MOUNT_SIGNS[kind]
  if ((await host.stat(sign)) === undefined) {
    throw new Unsure(`${sign} is missing: /${kind} of the node is not mounted below the host root`)
  }
}
