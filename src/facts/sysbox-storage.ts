import { type Detector, defineFact } from './define-fact.ts'
import { type Disk, diskOf, formatStorage, VAR_LIB } from './disk.ts'
import { programsOf } from './sysbox.ts'
import { sysboxDataRoot } from './sysbox-data-root.ts'

/** The file system on which Sysbox keeps containers, or would keep them if it were installed. */
export const detectSysboxStorage: Detector<Disk> = async ({ host }) =>
  diskOf(host, (await programsOf(host)).length > 0 ? await sysboxDataRoot(host) : VAR_LIB)

export const sysboxStorageFact = defineFact({
  name: 'sysbox-storage',
  describes: "file system and free space of Sysbox's data, `/var/lib/sysbox` or its `--data-root`",
  detect: detectSysboxStorage,
  format: formatStorage
})
