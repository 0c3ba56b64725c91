import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { PATH } from './execute.ts'

/** A lock that we hold, or who holds it. */
export type Locked =
  | { readonly ok: true; readonly release: () => Promise<void> }
  | { readonly ok: false; readonly heldBy: string }

export interface LockTerms {
  /** One line for whoever comes second. */
  readonly who: string
  /** Seconds that we wait for it. */
  readonly patience: number
}

/** The exit status of `flock` that means that somebody else has it. */
const HELD = 75

/** FILE WHO. Its input ends with us, however we end, and the lock with it. */
const HOLD = 'printf "%s\\n" "$2" >"$1"; echo held; exec cat >/dev/null'

/** Takes flock(2) on a file of our own view, which Node cannot ask for itself; throws `Error` where that cannot be had. */
export async function takeLock(file: string, { who, patience }: LockTerms): Promise<Locked> {
  const { execa } = await import('execa')
  const wait = ['--wait', `${patience}`, '--conflict-exit-code', `${HELD}`]
  const child = execa('flock', [...wait, file, 'sh', '-euc', HOLD, 'lock', file, who], {
    env: { PATH, LC_ALL: 'C' },
    extendEnv: false,
    // Ctrl-C at a terminal ends us, and may not end the lock before.
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
