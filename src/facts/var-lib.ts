import { type Detector, defineFact } from './define-fact.ts'
import { type Disk, diskOf, formatStorage, VAR_LIB } from './disk.ts'

export const detectVarLib: Detector<Disk> = ({ host }) => diskOf(host, VAR_LIB)

export const varLibFact = defineFact({
  name: 'var-lib',
  describes: 'file system and free space of `/var/lib`',
  detect: detectVarLib,
  format: formatStorage
})
