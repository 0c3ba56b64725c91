import { type Detector, defineFact } from './define-fact.ts'
import { readCount } from './numbers.ts'
import { requireSecurityFs } from './security-fs.ts'

/** LoadPin allows only modules from the file system of the first loaded module (COS). */
export const detectLoadPin: Detector<boolean> = async ({ host }) => {
  await requireSecurityFs(host)
  const path = '/sys/kernel/security/lsm'
  const text = await host.read(path)
  if (text !== undefined) return text.trim().split(',').includes('loadpin')
  return ((await readCount(host, '/proc/sys/kernel/loadpin/enforce')) ?? 0) !== 0
}

export const loadpinFact = defineFact({
  name: 'loadpin',
  describes: 'whether modules must come from the node image (Container-Optimized OS)',
  detect: detectLoadPin,
  format: pinned => (pinned ? 'on' : 'off')
})
