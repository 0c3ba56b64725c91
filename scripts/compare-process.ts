import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import { cpuSeconds } from './bench-process.ts'
import type { Started } from './compare-agent.ts'

/** One process: MiB, and seconds since it began. */
export interface Usage {
  readonly name: string
  readonly resident: number
  readonly anonymous: number
  readonly cpu: number
}

/** Of each program and of the processes that it started itself. */
export async function usageOf(started: readonly Started[]): Promise<readonly Usage[]> {
  const all = started.map(async ({ pid, program }) => {
    const children = await childrenOf(pid)
    return [usage(pid, program.name), ...children.map(child => usage(child, `${program.name}, child process`))]
  })
  return (await Promise.all(all)).flat()
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const { stdout } = await execa('ps', ['--ppid', `${pid}`, '-o', 'pid='], { reject: false })
  return stdout.split('\n').filter(Boolean).map(Number)
}

function usage(pid: number, name: string): Usage {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const field = (key: string) => Number(new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(text)?.[1]) / 1024
  return { name, resident: field('Rss'), anonymous: field('Anonymous'), cpu: cpuSeconds(pid) }
}
