import { access, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { HostError } from './host.ts'
import { missing } from './resolve.ts'

/** How a program ended; nothing is thrown for a program that failed. */
export interface Ended {
  /** Exit status; 127 where the program is not there, 128 and more where a signal ended it. */
  readonly status: number
  readonly stdout: string
  /** The last 4 KiB of it. */
  readonly stderr: string
}

export interface Execution {
  /** Milliseconds; then the program and its children are killed. */
  readonly timeout: number
  readonly directory?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Where programs of our own image are looked for. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Bytes: the first ones of the output, the last ones of the errors. */
const MOST_OUTPUT = 256 * 1024
const MOST_ERRORS = 4 * 1024

/** Runs a program of our own image, and ends it with all its children when it takes too long or leaves some behind. */
export async function execute([file, ...args]: readonly [string, ...string[]], how: Execution): Promise<Ended> {
  const directory = how.directory ?? '/'
  if ((await stat(directory).catch(missing)) === undefined) throw new HostError(directory, 'ENOENT', { says: 'it is not there' })
  const { execa } = await import('execa')
  const child = execa(file, args, {
    cwd: directory,
    env: { PATH, LC_ALL: 'C', ...how.environment },
    extendEnv: false,
    // A process group of its own, which can be ended as a whole.
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
  // What the program started and left holds our pipes open.
  child.nodeChildProcess.once('exit', end)
  process.once('exit', end)
  const done = await child
  clearTimeout(timer)
  process.off('exit', end)
  const late = isLate ? `\nended by berth after ${how.timeout} ms` : ''
  return { status: statusOf(done), stdout: stdout(), stderr: stderr() + late }
}

/** Whether a program is there for `execute`, by its name. */
export async function isInstalled(name: string): Promise<boolean> {
  const tries = PATH.split(':').map(directory => access(join(directory, name), MAY_RUN))
  return await Promise.any(tries).then(
    () => true,
    () => false
  )
}

/** X_OK of access(2). */
const MAY_RUN = 1

/** ESRCH: all of it is gone already. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Reads on to the end, or the program would stand still on a full pipe, and keeps a part. */
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

/** As a shell tells it: 127 not there, 126 no program, 128 and the number of the signal. */
function statusOf({ exitCode, signal, code }: Done): number {
  if (exitCode !== undefined) return exitCode
  if (signal !== undefined) return 128 + constants.signals[signal]
  return code === 'ENOENT' ? 127 : 126
}
