import { randomBytes } from 'node:crypto'
import { closeSync, constants, copyFileSync, fsyncSync, openSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { posix } from 'node:path'
import { ERRNO_TEXTS, HostError } from './host.ts'
import { localHost } from './local.ts'
import { resolveInside } from './resolve.ts'
import type { Ended, Execution, HostWriter } from './writer.ts'

/** Bytes of a program's standard output that are kept, and of its standard error, from the end. */
const OUTPUT = 256 * 1024
const TAIL = 4 * 1024

/** The real node, mounted at `root`, to be changed; no link of the node leads a write out of it. */
export function localWriter(root: string): HostWriter {
  const base = root === '/' ? '' : root.replace(/\/+$/, '')
  const inside = (path: string): string => `${base}${path}`
  const place = (path: string, fill: (temporary: string) => Promise<void>) =>
    told(path, async () => {
      const directory = await directoryOf(base, path)
      const temporary = `${directory}/.${posix.basename(path)}.${randomBytes(6).toString('hex')}`
      try {
        await fill(temporary)
        sync(temporary)
        await rename(temporary, `${directory}/${posix.basename(path)}`)
        sync(directory)
      } finally {
        await rm(temporary, { force: true })
      }
    })
  return {
    ...localHost(root),
    inside,
    write: (path, text, mode = 0o644) =>
      place(path, async temporary => {
        const file = await open(temporary, 'wx', mode)
        await file.writeFile(text).finally(() => file.close())
      }),
    copy: (from, path) => place(path, async temporary => copyFileSync(from, temporary, constants.COPYFILE_EXCL)),
    put: (path, text) =>
      told(path, async () => {
        // Neither created nor emptied: a file of /proc/sys takes one write.
        const file = await open(base + resolved(base, path), constants.O_WRONLY | constants.O_NOFOLLOW)
        await file.write(text).finally(() => file.close())
      }),
    remove: path =>
      told(path, async () => {
        const directory = resolveInside(base, posix.dirname(path))
        if (directory !== undefined) await rm(`${base}${directory}/${posix.basename(path)}`, { force: true })
      }),
    exec: execute
  }
}

/** The real directory of a path, made where it is not there yet; its links are resolved inside the root. */
async function directoryOf(base: string, path: string): Promise<string> {
  let done = ''
  for (const part of posix.dirname(path).split('/').filter(Boolean)) {
    const next = resolveInside(base, `${done}/${part}`)
    if (next === undefined) await mkdir(`${base}${done}/${part}`, { mode: 0o755 })
    done = next ?? `${done}/${part}`
  }
  return base + done
}

function resolved(base: string, path: string): string {
  const found = resolveInside(base, path)
  if (found === undefined) throw Object.assign(new Error('it is not there'), { code: 'ENOENT' })
  return found
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

async function told<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof HostError) throw error
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new HostError(path, code, { says: `it cannot be written: ${ERRNO_TEXTS[code] ?? message}`, cause: error })
  }
}

/** In a process group of its own, which is killed whole: what a program started must not outlive its time. */
async function execute([file, ...rest]: readonly [string, ...string[]], how: Execution): Promise<Ended> {
  const { execa } = await import('execa')
  const child = execa(file, rest, {
    ...(how.directory === undefined ? {} : { cwd: how.directory }),
    ...(how.input === undefined ? { stdin: 'ignore' as const } : { input: how.input }),
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...how.environment },
    extendEnv: false,
    detached: true,
    reject: false,
    maxBuffer: OUTPUT
  })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    killGroup(child.pid)
  }, how.timeout)
  const { exitCode, signal, code, stdout = '', stderr = '', shortMessage } = await child.finally(() => clearTimeout(timer))
  killGroup(child.pid)
  const status = exitCode ?? (code === 'ENOENT' ? 127 : 128)
  const said = isLate
    ? `killed after ${how.timeout / 1000} s`
    : exitCode === undefined && signal === undefined
      ? (shortMessage ?? '')
      : ''
  return { status, stdout: String(stdout), stderr: `${String(stderr)}${said === '' ? '' : `\n${said}`}`.slice(-TAIL) }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It is gone already, as it should be.
  }
}
