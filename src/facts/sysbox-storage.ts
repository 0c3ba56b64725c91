import { type Detector, defineFact } from './define-fact.ts'
import { type Disk, diskOf, formatStorage, VAR_LIB } from './disk.ts'
import { unlessNotMounted } from './not-mounted.ts'
import { programsOf } from './sysbox.ts'

const SYSBOX = `${VAR_LIB}/sysbox`

/** Where a Sysbox on the node keeps its containers, or one would. */
export const detectSysboxStorage: Detector<Disk> = async ({ host }) => {
  const found = await unlessNotMounted(diskOf(host, SYSBOX))
  if ('value' in found) return found.value
  // A Sysbox could have its directory elsewhere, by a link.
  if ((await programsOf(host)).length > 0) throw found.error
  return await diskOf(host, VAR_LIB)
}

export const sysboxStorageFact = defineFact({
  name: 'sysbox-storage',
  describes: 'the same for `/var/lib/sysbox`',
  detect: detectSysboxStorage,
  format: formatStorage
})
