import { readFileSync } from 'node:fs'
import { growing } from '../growing-wait.ts'
import { isAt, parseMountTable } from './mount-table.ts'

/** The pauses before a mount that did not answer is tried again (milliseconds). */
const PAUSE = { first: 60_000, longest: 15 * 60_000 }

interface Hung {
  /** The mount point, or the path itself if it lies on the node's root mount. */
  readonly place: string
  readonly times: number
  readonly again: number
  /** Whether the killed process still waits at the mount: it ends only when the mount answers. */
  readonly isStuck: () => boolean
}

export interface HungMounts {
  /** Why a path is not read now; `undefined` if it may be read. */
  readonly whySkipped: (path: string) => string | undefined
  readonly hung: (path: string, isStuck: () => boolean) => void
  readonly answered: (path: string) => void
}

/** Remembers which mounts do not answer, so that each costs one timeout and not one for each file. `base` is the host root. */
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

/** The mount point that holds a path, named as on the node; the path itself if it lies on the node's root mount. */
function placeOf(base: string, path: string): string {
  const points = mountPoints().filter(point => point.startsWith(`${base}/`) && isAt(base + path, point))
  const [longest] = points.toSorted((a, b) => b.length - a.length)
  return longest === undefined ? path : longest.slice(base.length)
}

/** The kernel keeps this file in memory, so reading it cannot hang. */
const mountPoints = (): readonly string[] => [...parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8')).keys()]
