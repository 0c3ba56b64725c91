import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'

/** The boot id is new at every boot. Proofs from an earlier boot are void. */
export const detectBootId: Detector<string> = async ({ host }) => {
  const path = '/proc/sys/kernel/random/boot_id'
  const text = await host.read(path)
  if (text === undefined || !/^[0-9a-f-]{36}\n?$/.test(text)) throw new Unsure(`${path} holds no boot id`)
  return text.trim()
}

export const bootIdFact = defineFact({
  name: 'boot-id',
  describes: 'id of the current boot, `/proc/sys/kernel/random/boot_id`',
  detect: detectBootId,
  format: id => id
})
