import { statSync } from 'node:fs'
import { deviceNumber } from '../host/device-number.ts'
import type { Kind } from './kinds.ts'

/** `why` is empty where a pod can use the device. */
export interface Health {
  readonly why: string
}

/** What stands where the node's device should be: nothing, `undefined`; or its kind and mode. Throws what the system says. */
export type Look = (path: string) => { readonly device: string; readonly mode: number } | undefined

/** The device below `root`, where the node's /dev is mounted. Synchronous: it is asked twice a second, and a thread costs more. */
export const lookBelow =
  (root: string): Look =>
  path => {
    const stats = statSync(root + path, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    return { device: stats.isCharacterDevice() ? deviceNumber(stats.rdev) : '', mode: stats.mode & 0o777 }
  }

export function healthOf({ path, device, needs }: Kind, look: Look): Health {
  let found: ReturnType<Look>
  try {
    found = look(path)
  } catch (error) {
    return { why: `${path} cannot be looked at: ${(error as Error).message}` }
  }
  if (found === undefined) return { why: `${path} is not there` }
  if (found.device !== device) return { why: `${path} is not the character device ${device}` }
  const mode = found.mode.toString(8).padStart(4, '0')
  return { why: (found.mode & needs) === needs ? '' : `${path} has mode ${mode}, so other users cannot open it; give it 0666` }
}
