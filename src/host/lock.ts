import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { PATH } from './execute.ts'

/** The lock that this process holds, or the holder of it. */
export type Locked =
  | { readonly ok: true; readonly release: () => Promise<void> }
  | { readonly ok: false; readonly heldBy: string }

export interface LockTerms {
  /** One line that other processes show as the holder. */
  readonly who: string
  /** How long to wait for the lock (seconds). */
  readonly waitSeconds: number
}

/** The exit status that `flock` is given for a lock that another process holds. */
const HELD = 75

/** sh: FILE WHO. Its standard input closes when this process ends, for whatever reason; then the shell ends and the lock is released. */
const HOLD = 'printf "%s\\n" "$2" >"$1"; echo held; exec cat >/dev/null'

/** Takes flock(2) by the program flock, since Node cannot. `file` is a path of this process. Throws an `Error` if locking fails. */
export async function takeLock(file: string, { who, waitSeconds }: LockTerms): Promise<Locked> {
  const { execa } = await import('execa')
  const wait = ['--wait', `${waitSeconds}`, '--conflict-exit-code', `${HELD}`]
  const child = execa('flock', [...wait, file, 'sh', '-euc', HOLD, 'lock', file, who], {
    env: { PATH, LC_ALL: 'C' },
    extendEnv: false,
    // Ctrl-C at a terminal must not end the lock before this process.
    detached: true,
    buffer: { stdout: false },
    reject: false
  })
  const isHeld = await Promise.race([once(child.stdout, 'data').then(() => true), child.then(() => false)])
  if (isHeld) {
    child.stdout.resume()
    return {
      ok: true,
      release: async () => {
        child.stdin.end()
        await child
      }
    }
  }
  const { exitCode, code, stderr } = await child
  if (exitCode === HELD) return { ok: false, heldBy: await holderIn(file) }
  throw new Error(code === 'ENOENT' ? 'flock (of util-linux) is not installed where the helper runs' : stderr.trim())
}

const holderIn = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8').catch(() => '')).trim().slice(0, 200) || 'an unknown process'
