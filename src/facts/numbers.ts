import type { HostReader } from '../host/host.ts'
import { Unsure } from './fact.ts'

/** A whole number as the kernel prints a sysctl: digits and white space, nothing else, and few enough to be exact. */
export function parseCount(text: string): number | undefined {
  return /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined
}

/** The number in a sysctl or parameter file; `undefined` when the file is not there. Throws `Unsure` on anything but a number. */
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
 * Y or N as a kernel module parameter prints it; `undefined` when the file is not there.
 * Throws `Unsure` on anything else.
 */
export async function readFlag(host: HostReader, path: string): Promise<boolean | undefined> {
  const text = await host.read(path)
  if (text === undefined) return undefined
  const flag = FLAGS.get(text.trim())
  if (flag === undefined) throw new Unsure(`${path} holds ${JSON.stringify(text.slice(0, 40))}, not Y or N`)
  return flag
}

/** What shows that /proc and /sys are those of a node. */
export const MOUNT_SIGNS = { proc: '/proc/sys/kernel', sys: '/sys/kernel' } as const

/**
 * Absence below /proc or /sys is knowledge only where those file systems are there at all: a host root mounted without its
 * submounts would otherwise read as a node with nothing switched on.
 */
export async function requireMounted(host: HostReader, kind: 'proc' | 'sys'): Promise<void> {
  const sign = MOUNT_SIGNS[kind]
  if ((await host.stat(sign)) === undefined) {
    throw new Unsure(`${sign} is not there: /${kind} of the node is not mounted below the host root`)
  }
}
