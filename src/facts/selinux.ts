import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { readCount } from './numbers.ts'

export type SeLinux = 'absent' | 'permissive' | 'enforcing'

export const detectSeLinux: Detector<SeLinux> = async ({ host }) => {
  const fs = await host.stat('/sys/fs')
  if (fs === undefined) throw new Unsure('/sys/fs is missing: /sys of the node is not mounted below the host root')
  const enforce = await readCount(host, '/sys/fs/selinux/enforce')
  if (enforce === undefined) {
    // The kernel creates this directory only if SELinux is on; it is empty if selinuxfs is not mounted below the host root.
    if ((await host.stat('/sys/fs/selinux')) !== undefined)
      throw new Unsure('/sys/fs/selinux exists and is empty: selinuxfs is not mounted')
    return 'absent'
  }
  if (enforce > 1) throw new Unsure(`/sys/fs/selinux/enforce holds ${enforce}, neither 0 nor 1`)
  return enforce === 1 ? 'enforcing' : 'permissive'
}

export const selinuxFact = defineFact({
  name: 'selinux',
  describes: 'SELinux mode: absent, permissive or enforcing',
  detect: detectSeLinux,
  format: mode => mode
})
