import { cacheFolder } from './cache.ts'

/** Something that has to be there before the first test starts. */
export interface Part {
  /** What happens, for people who wait: `building kubelet, … (k8s.io/kubernetes v1.37.2)`. */
  readonly does: string
  readonly isReady: () => Promise<boolean>
  /** `say` prints how far it is. */
  readonly make: (say: (text: string) => void) => Promise<void>
  /** What a person can do when it fails. */
  readonly wayOut: string
}

export interface Preparing {
  readonly print: (line: string) => void
  /** Milliseconds on a clock that nobody sets. */
  readonly elapsed: () => number
}

/** Thrown for a part that fails; its message names the part, the reason and the way out. */
export class PreparationError extends Error {}

/** Makes what is missing, one after the other, each with a line that says which of how many it is and how long it took. */
export async function prepare(parts: readonly Part[], { print, elapsed }: Preparing): Promise<void> {
  const began = elapsed()
  print(`== preparation: what is built or downloaded once is kept in ${cacheFolder()}`)
  for (const [index, part] of parts.entries()) {
    const place = `${index + 1} of ${parts.length}: ${part.does}`
    if (await part.isReady()) {
      print(`${place}: ready`)
      continue
    }
    print(`${place} ...`)
    const start = elapsed()
    const say = (text: string) => print(`   ${text} (${duration(elapsed() - start)})`)
    try {
      await part.make(say)
    } catch (error) {
      const reason = (error as Error).message
      throw new PreparationError(`Part ${place} failed: ${reason}\nWay out: ${part.wayOut}.`, { cause: error })
    }
    say('done')
  }
  print(`Everything is prepared (${duration(elapsed() - began)})`)
}

/** `3 min 5 s` */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
