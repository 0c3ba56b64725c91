import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { requireSecurityFs } from './security-fs.ts'

export type Lockdown = 'absent' | 'none' | 'integrity' | 'confidentiality'

/** kernel_lockdown(7): every level except none refuses unsigned modules. */
export const detectLockdown: Detector<Lockdown> = async ({ host }) => {
  await requireSecurityFs(host)
  const path = '/sys/kernel/security/lockdown'
  const text = await host.read(path)
  if (text === undefined) return 'absent'
  const level = parseLockdown(text)
  if (level === undefined) throw new Unsure(`${path} holds ${JSON.stringify(text.slice(0, 60))}, expected a level in brackets`)
  return level
}

/** `none [integrity] confidentiality`: the brackets mark the level. */
export const parseLockdown = (text: string): Exclude<Lockdown, 'absent'> | undefined => {
  const [, level] = /^(?:\w+ )*\[(none|integrity|confidentiality)\](?: \w+)*\n?$/.exec(text) ?? []
  return level as Exclude<Lockdown, 'absent'> | undefined
}

export const lockdownFact = defineFact({
  name: 'lockdown',
  describes: 'kernel lockdown level',
  detect: detectLockdown,
  format: level => level
})
