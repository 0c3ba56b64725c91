import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'

/** A new one at every boot; what was proved before it is not proved any more. */
export const detectBootId: Detector<string> = async ({ host }) => {
  const path = '/proc/sys/kernel/random/boot_id'
  const text = await host.read(path)
  if (text === undefined || !/^[0-9a-f-]{36}\n?$/.test(text)) throw new Unsure(`${path} holds no boot id`)
  return text.trim()
}

export const bootIdFact = defineFact({
  name: 'boot-id',
  describes: 'the boot in which everything was observed',
  detect: detectBootId,
  format: id => id
})
