import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import type { Ended } from '../../../src/host/execute.ts'
import { localHost } from '../../../src/host/local.ts'
import type { HostWriter } from '../../../src/host/writer.ts'
import { TRIAL_SECONDS } from '../../../src/trials/reading.ts'

interface Differently {
  /** Before every program, to take a right from it. */
  readonly prefix?: readonly string[]
  /** Where programs are looked for. */
  readonly path?: string
  /** How long a trial may take, where not as long as on a node. */
  readonly seconds?: number
  /** Stands in /proc/filesystems too. */
  readonly registered?: string
  /** Asked before a program is started; `false` kills the one who asks. */
  readonly lives?: () => boolean
  readonly started?: (pid: number) => void
}

const refused = (): never => {
  throw new Error('a trial does not write by itself')
}

/** This machine, whose kubelet keeps its volumes in a directory of the test. */
export function thisMachine(place: string, how: Differently = {}): HostWriter {
  const host = localHost('/')
  const moved = (path: string): string => (path === '/var/lib/kubelet' ? place : path)
  return {
    ...host,
    stat: path => host.stat(moved(path)),
    realpath: path => host.realpath(moved(path)),
    read: async path => {
      const text = await host.read(path)
      if (path !== '/proc/filesystems') return text
      // A shiftfs of this machine itself is left alone.
      const others = (text ?? '').split('\n').filter(line => line !== 'nodev\tshiftfs')
      return `${others.join('\n')}${how.registered === undefined ? '' : `nodev\t${how.registered}\n`}`
    },
    inside: path => path,
    write: refused,
    put: refused,
    copy: refused,
    remove: refused,
    removeEmpty: refused,
    lock: refused,
    exec: async (argv, { timeout }) =>
      await run([...(how.prefix ?? []), ...givenSeconds(argv, how.seconds ?? TRIAL_SECONDS)], timeout, how)
  }
}

/** The command of a trial, with another limit. */
export const givenSeconds = (argv: readonly string[], seconds: number): readonly string[] =>
  argv.map(word => (word === `${TRIAL_SECONDS}` ? `${seconds}` : word))

async function run(argv: readonly string[], timeout: number, { path, lives, started }: Differently): Promise<Ended> {
  if (lives?.() === false) return { status: 137, stdout: '', stderr: '' }
  const [program = '', ...args] = argv
  const { PATH = '' } = process.env
  const env = { ...process.env, PATH: path ?? PATH, REAL_PATH: PATH }
  return await new Promise(resolve => {
    const child = spawn(program, args, { env, detached: true, timeout, killSignal: 'SIGKILL' })
    const heard = { stdout: '', stderr: '' }
    if (child.pid !== undefined) started?.(child.pid)
    child.stdout.on('data', chunk => {
      heard.stdout += chunk
    })
    child.stderr.on('data', chunk => {
      heard.stderr += chunk
    })
    child.on('error', error => resolve({ status: 127, ...heard, stderr: error.message }))
    child.on('close', (code, signal) => resolve({ status: code ?? (signal === null ? 1 : 137), ...heard }))
  })
}

/** Mounts with this text in any mount namespace of this machine. */
export const mountsNaming = (text: string): readonly string[] =>
  globSync('/proc/[0-9]*/mountinfo').flatMap(path => {
    try {
      return readFileSync(path, 'utf8')
        .split('\n')
        .filter(line => line.includes(text))
    } catch {
      // The process ended while it was looked at.
      return []
    }
  })
