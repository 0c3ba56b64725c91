import { statSync } from 'node:fs'
import { deviceNumber } from '../host/device-number.ts'
import type { Kind } from './kinds.ts'

/** `why` is empty where a pod can use the device. */
export interface Health {
  readonly why: string
}

/** Returns the number of the device at a path (empty if it is not a character device) and its mode; `undefined` if nothing is there. Throws the error of stat(2). */
export type ReadDevice = (path: string) => { readonly device: string; readonly mode: number } | undefined

/** Reads devices below `root`, where the node's /dev is mounted. Synchronous: it runs twice a second, and a thread would cost more. */
export const deviceReader =
  (root: string): ReadDevice =>
  path => {
    const stats = statSync(root + path, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    return { device: stats.isCharacterDevice() ? deviceNumber(stats.rdev) : '', mode: stats.mode & 0o777 }
  }

/** Returns whether pods can use the device of this kind, and if not, why. */
export function healthOf({ path, device, needs }: Kind, readDevice: ReadDevice): Health {
  let found: ReturnType<ReadDevice>
  try {
    found = readDevice(path)
  } catch (error) {
    return { why: `${path} cannot be read: ${(error as Error).message}` }
  }
  if (found === undefined) return { why: `${path} is missing` }
  if (found.device !== device) return { why: `${path} is not the character device ${device}` }
  const mode = found.mode.toString(8).padStart(4, '0')
  return { why: (found.mode & needs) === needs ? '' : `${path} has mode ${mode}, so other users cannot open it; give it 0666` }
}
