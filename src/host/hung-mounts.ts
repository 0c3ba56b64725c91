import { readFileSync } from 'node:fs'
import { growing } from '../waits.ts'
import { isAt, parseMountTable } from './mount-table.ts'

/** The first pause before a mount that did not answer is asked again, twice as long each time, and the longest (milliseconds). */
const PAUSE = { first: 60_000, longest: 15 * 60_000 }

interface Hung {
  /** Mount point, or the path itself where the mount is the root's. */
  readonly place: string
  readonly times: number
  readonly again: number
  /** Whether whoever waits there waits still: a killed process ends when the mount answers. */
  readonly isStuck: () => boolean
}

export interface HungMounts {
  /** Why a path is not asked about now; `undefined` where it is. */
  readonly whySkipped: (path: string) => string | undefined
  readonly hung: (path: string, isStuck: () => boolean) => void
  readonly answered: (path: string) => void
}

/** Remembers which mounts do not answer, so that each costs one wait and not one a file. `base` is where the node's root lies. */
export function createHungMounts(base: string, elapsed: () => number = () => performance.now()): HungMounts {
  const known = new Map<string, Hung>()
  const at = (path: string): Hung | undefined =>
    [...known.values()].find(({ place }) => path === place || path.startsWith(`${place}/`))
  return {
    whySkipped: path => {
      const found = at(path)
      if (found === undefined) return undefined
      if (found.isStuck()) return `${found.place} does not answer; it is skipped until it does`
      const wait = found.again - elapsed()
      return wait > 0 ? `${found.place} did not answer; it is asked again in ${Math.ceil(wait / 1000)} s` : undefined
    },
    hung: (path, isStuck) => {
      const place = at(path)?.place ?? placeOf(base, path)
      const times = (known.get(place)?.times ?? 0) + 1
      known.set(place, { place, times, again: elapsed() + growing(PAUSE, times), isStuck })
    },
    answered: path => {
      const found = at(path)
      if (found !== undefined) known.delete(found.place)
    }
  }
}

/** The mount that holds a path, by the node's names; the path itself where that is the node's root. */
function placeOf(base: string, path: string): string {
  const points = mountPoints().filter(point => point.startsWith(`${base}/`) && isAt(base + path, point))
  const [longest] = points.toSorted((a, b) => b.length - a.length)
  return longest === undefined ? path : longest.slice(base.length)
}

/** In memory, so that it answers always. */
const mountPoints = (): readonly string[] => [...parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8')).keys()]
