import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'

/** A child of this very process: only its own handle is ever signalled, so that a recycled pid cannot be hit. */
export interface RunningProcess {
  readonly name: string
  readonly pid: number
  /** Resolves when it has ended, however it did. */
  readonly ended: Promise<void>
  readonly logFile: string
  alive(): boolean
  signal(signal: NodeJS.Signals): void
}

const graceful = 20_000 // milliseconds that a terminated process may take to end before it is killed
const readyLimit = 120_000
const poll = 25

/** Starts it with its output appended to a file; `args[0]` is the program. It ends with this process at the latest. */
export async function launch(args: readonly [string, ...string[]], logFile: string): Promise<RunningProcess> {
  const [file, ...rest] = [...(await leash()), ...args] as [string, ...string[]]
  const log = { file: logFile, append: true }
  const options = { stdin: 'ignore', stdout: log, stderr: log, buffer: false, reject: false } as const
  const child = execa(file, rest, { ...options, cleanup: true, forceKillAfterDelay: graceful })
  let over = false
  const ended = child.then(() => {
    over = true
  })
  const name = basename(args[0])
  const { pid } = child
  if (pid === undefined) throw new Error(`cannot start ${name}: ${(await child).message}`)
  return { name, pid, ended, logFile, alive: () => !over, signal: signal => void child.kill(signal) }
}

let leashed: Promise<readonly string[]> | undefined

/**
 * execa's cleanup runs only when Node can still run code. `setpriv` has the kernel do it, for the case of a kill -9;
 * it replaces itself by the program, so that the pid stays.
 */
function leash(): Promise<readonly string[]> {
  const prefix = ['--pdeathsig', 'KILL', '--']
  leashed ??= execa('setpriv', [...prefix, 'true'], { reject: false }).then(({ failed }) =>
    failed ? [] : ['setpriv', ...prefix]
  )
  return leashed
}

/** Asks until the answer is yes; an end of the process or the limit is an error with the last lines of its log. */
export async function untilReady(running: RunningProcess, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + readyLimit
  while (!(await isReady().catch(() => false))) {
    if (!running.alive()) throw new Error(`${running.name} ended before it was ready\n${await logTail(running.logFile)}`)
    if (Date.now() > deadline) {
      throw new Error(`${running.name} is not ready after ${readyLimit / 1000} s\n${await logTail(running.logFile)}`)
    }
    await sleep(poll)
  }
}

export async function logTail(logFile: string, lines = 20): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}
