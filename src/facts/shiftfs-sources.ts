import { atLeast, type Kernel, type Version } from './kernel.ts'

/**
 * Folders with sources of shiftfs below the operator's directory, and the first and last kernel for which each compiles. The names are
 * those of the branches of toby63/shiftfs-dkms.
 */
const FOLDERS: readonly (readonly [folder: string, first: Version, last: Version])[] = [
  ['k5.4', [5, 4], [5, 7]],
  ['k5.10', [5, 8], [5, 8]],
  ['k5.10', [5, 10], [5, 10]],
  ['k5.11', [5, 11], [5, 11]],
  ['k5.13', [5, 13], [5, 14]],
  ['k5.16', [5, 15], [5, 16]],
  ['k5.17', [5, 17], [5, 17]],
  ['k5.18', [5, 18], [5, 19]],
  ['k6.1', [6, 1], [6, 2]]
]

/** The folder of sources for this kernel, or `undefined` if there is none. */
export const sourceFolder = ({ major, minor }: Pick<Kernel, 'major' | 'minor'>): string | undefined =>
  FOLDERS.find(([, first, [high, last]]) => atLeast({ major, minor }, first) && !atLeast({ major, minor }, [high, last + 1]))?.[0]
