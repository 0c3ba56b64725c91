import { readdir, readFile } from 'node:fs/promises'
import { execa } from 'execa'

/** What a process has used since it began, and holds now. */
export interface Usage {
  /** Seconds, user and system together. */
  readonly cpu: number
  /** Resident, MiB. */
  readonly memory: number
}

const TICKS = 100 // a second, which is what Linux tells to programs on every architecture

export async function usageOf(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
    memory: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  }
}

/** The process of that program whose arguments name that folder. */
export async function pidOf(program: string, directory: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (argv[0]?.endsWith(`/${program}`) && argv.some(one => one.includes(directory))) return Number(pid)
  }
  throw new Error(`${program} does not run in ${directory}`)
}

export interface Wire {
  readonly connections: number
  /** Bytes over those that are open now, TLS and HTTP/2 included. */
  readonly sent: number
  readonly received: number
}

/** The TCP connections of these processes to that port, as the kernel counts them. */
export async function wireOf(pids: readonly number[], port: string): Promise<Wire> {
  const { stdout } = await execa('ss', ['-tinpHO', 'state', 'established', `( dport = :${port} )`])
  const own = stdout.split('\n').filter(line => pids.some(pid => line.includes(`pid=${pid},`)))
  const sum = (pattern: RegExp) => own.reduce((total, line) => total + Number(pattern.exec(line)?.[1] ?? 0), 0)
  return { connections: own.length, sent: sum(/bytes_sent:(\d+)/), received: sum(/bytes_received:(\d+)/) }
}

/** The sum of all series of a Prometheus text with that name. */
export const counterOf = (text: string, name: string): number =>
  text
    .split('\n')
    .filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
