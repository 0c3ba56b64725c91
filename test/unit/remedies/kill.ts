import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

const LANES = 5

/** Runs a program of this folder and kills it so many milliseconds after it said that it begins; whether it was still at work. */
export async function killed(program: string, args: readonly string[], after: number): Promise<boolean> {
  const child = execFile(process.execPath, [join(import.meta.dirname, program), ...args])
  const ended = new Promise<string | null>(resolve => child.on('exit', (_, signal) => resolve(signal)))
  await new Promise(resolve => child.stdout?.once('data', resolve))
  await wait(after)
  child.kill('SIGKILL')
  return (await ended) === 'SIGKILL'
}

/** So many rounds, some at a time; resolves to what each found, and prints how often. */
export async function rounds(count: number, round: (index: number) => Promise<string>): Promise<readonly string[]> {
  const found: string[] = []
  const lane = async (first: number) => {
    for (let index = first; index < count; index += LANES) found.push(await round(index))
  }
  await Promise.all(Array.from({ length: LANES }, (_, first) => lane(first)))
  const counts = Object.entries(Object.groupBy(found, what => what)).map(([what, all]) => `${all?.length} × ${what}`)
  console.log(counts.toSorted().join('; '))
  return found
}
