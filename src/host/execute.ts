import { access, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { HostError } from './host.ts'
import { missing } from './resolve.ts'

/** How a program ended. A program that fails is not an error here. */
export interface Ended {
  /** Exit status; 127 if the program does not exist, 128 + N if signal N ended it. */
  readonly status: number
  readonly stdout: string
  /** The last 4 KiB. */
  readonly stderr: string
}

export interface Execution {
  /** Milliseconds. Afterwards the program and its children are killed. */
  readonly timeout: number
  readonly directory?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
}

/** The search path for programs of the helper's own image. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Bytes: the beginning of standard output and the end of standard error are kept. */
const MOST_OUTPUT = 256 * 1024
const MOST_ERRORS = 4 * 1024

/** Runs a program of the helper's own image. Kills it and its children after the timeout, and children that it leaves behind. */
export async function execute([file, ...args]: readonly [string, ...string[]], how: Execution): Promise<Ended> {
  const directory = how.directory ?? '/'
  if ((await stat(directory).catch(missing)) === undefined)
    throw new HostError(directory, 'ENOENT', { says: 'it does not exist' })
  const { execa } = await import('execa')
  const child = execa(file, args, {
    cwd: directory,
    env: { PATH, LC_ALL: 'C', ...how.environment },
    extendEnv: false,
    // A process group of its own, which can be killed as a whole.
    detached: true,
    buffer: false,
    reject: false,
    input: how.input ?? ''
  })
  const [stdout, stderr] = [keep(child.stdout, MOST_OUTPUT, 'first'), keep(child.stderr, MOST_ERRORS, 'last')]
  let isLate = false
  const end = () => endGroup(child.pid)
  const timer = setTimeout(() => {
    isLate = true
    end()
  }, how.timeout)
  // Children that the program leaves behind would hold the pipes open.
  child.nodeChildProcess.once('exit', end)
  process.once('exit', end)
  const done = await child
  clearTimeout(timer)
  process.off('exit', end)
  const late = isLate ? `\nended by berth after ${how.timeout} ms` : ''
  return { status: statusOf(done), stdout: stdout(), stderr: stderr() + late }
}

/** Whether `execute` finds a program of that name. */
export async function isInstalled(name: string): Promise<boolean> {
  const tries = PATH.split(':').map(directory => access(join(directory, name), MAY_RUN))
  return await Promise.any(tries).then(
    () => true,
    () => false
  )
}

/** X_OK of access(2). */
const MAY_RUN = 1

/** ESRCH: all its processes have ended. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Reads to the end, since a full pipe would block the program, and keeps a part. */
function keep(stream: Readable, most: number, part: 'first' | 'last'): () => string {
  let kept = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    if (part === 'last') kept = Buffer.concat([kept, chunk]).subarray(-most)
    else if (kept.length < most) kept = Buffer.concat([kept, chunk]).subarray(0, most)
  })
  return () => kept.toString('utf8')
}

interface Done {
  readonly exitCode?: number | undefined
  readonly signal?: NodeJS.Signals | undefined
  readonly code?: string | undefined
}

/** The status as a shell reports it: 127 not found, 126 not executable, 128 + the number of the signal. */
function statusOf({ exitCode, signal, code }: Done): number {
  if (exitCode !== undefined) return exitCode
  if (signal !== undefined) return 128 + constants.signals[signal]
  return code === 'ENOENT' ? 127 : 126
}
