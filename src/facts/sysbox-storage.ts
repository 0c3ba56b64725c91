import { type Detector, defineFact } from './define-fact.ts'
import { type Disk, diskOf, formatStorage, VAR_LIB } from './disk.ts'
import { programsOf } from './sysbox.ts'
import { sysboxDataRoot } from './sysbox-data-root.ts'

/** Where a Sysbox on the node keeps its containers, or one would. */
export const detectSysboxStorage: Detector<Disk> = async ({ host }) =>
  diskOf(host, (await programsOf(host)).length > 0 ? await sysboxDataRoot(host) : VAR_LIB)

export const sysboxStorageFact = defineFact({
  name: 'sysbox-storage',
  describes: "the same for Sysbox's data, `/var/lib/sysbox` or its `--data-root`",
  detect: detectSysboxStorage,
  format: formatStorage
})
