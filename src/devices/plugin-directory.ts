import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'

/** Throws `Error` where the kubelet's directory for sockets of plugins is not there. */
export async function requirePluginDirectory(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: Error) => {
    throw new Error(`${folder} cannot be read: ${error.message}; expected the kubelet's directory, mounted at the same path`)
  })
  if (!found.isDirectory()) throw new Error(`${folder} is no directory`)
}

/** Resolves after so many milliseconds, and earlier at `signal` or when something changes in the directory. */
export type Change = (milliseconds: number) => Promise<void>

/** Without inotify, whose limits are shared by the whole node, changes are not noticed before the time is over. */
export function directoryWatch(folder: string, signal: AbortSignal): Change {
  let next = new AbortController()
  const changed = (): void => {
    next.abort()
    next = new AbortController()
  }
  try {
    const watcher = watch(folder, { persistent: false }, changed)
    watcher.on('error', () => watcher.close())
    signal.addEventListener('abort', () => watcher.close(), { once: true })
  } catch {
    // The time alone tells then.
  }
  return milliseconds => wait(milliseconds, undefined, { signal: AbortSignal.any([signal, next.signal]) }).catch(() => undefined)
}
