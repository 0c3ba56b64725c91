import { readFileSync } from 'node:fs'

/** MiB. Anonymous memory of the last quarter less that of the second, by the middle of each. In the first minutes V8 still warms up. */
const MOST_GROWTH = { warm: 8, cold: 30 }
const WARM = 300 // seconds

/** MiB, ever: the manifest's limit is 192. */
const MOST = 150

export interface Watched {
  readonly name: string
  readonly pid: number
}

export interface MemoryWatch {
  /** Resolves to what is wrong. */
  readonly end: (say: (line: string) => void) => readonly string[]
}

/** Looks every second at the memory of processes that live all the time. */
export function memoryWatch(processes: readonly Watched[]): MemoryWatch {
  const seen = processes.map(process => ({ ...process, anonymous: [] as number[], resident: [] as number[] }))
  const looking = setInterval(() => {
    for (const { pid, anonymous, resident } of seen) {
      anonymous.push(memoryOf(pid, 'RssAnon'))
      resident.push(memoryOf(pid, 'VmRSS'))
    }
  }, 1_000)
  return {
    end: say => {
      clearInterval(looking)
      return seen.flatMap(({ name, anonymous, resident }) => {
        const quarter = Math.floor(anonymous.length / 4)
        const [second, last] = [median(anonymous.slice(quarter, 2 * quarter)), median(anonymous.slice(-quarter))]
        const most = Math.max(...resident)
        const growth = anonymous.length > WARM ? MOST_GROWTH.warm : MOST_GROWTH.cold
        say(`${name}: ${second.toFixed(1)} MiB anonymous, later ${last.toFixed(1)}; ${most.toFixed(1)} MiB resident at most`)
        return [
          ...(last - second > growth ? [`${name} grew from ${second} to ${last} MiB of anonymous memory`] : []),
          ...(most > MOST ? [`${name} had ${most} MiB, expected at most ${MOST}`] : [])
        ]
      })
    }
  }
}

/** 0 where the process is gone, which is told elsewhere. */
function memoryOf(pid: number, field: 'VmRSS' | 'RssAnon'): number {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return 0
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
