import type { HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { requireMounted } from './numbers.ts'

const EFI = '/sys/firmware/efi'

/** The EFI global variable namespace (UEFI specification, 3.3). */
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'

const SHIM = '605dab50-e046-4300-abb6-3dd810dd8b23'

/** `on` if the firmware boots only signed code and shim still validates it. */
export const detectSecureBoot: Detector<'on' | 'off'> = async ({ host }) => {
  await requireMounted(host, 'sys')
  const firmware = await host.list('/sys/firmware')
  // Container runtimes mask this directory with an empty one; on a real machine it is never empty.
  if (firmware?.length === 0) throw new Unsure('/sys/firmware is empty: the container runtime masks it')
  if (!firmware?.includes('efi')) return 'off'
  const names = await host.list(`${EFI}/efivars`)
  if (names === undefined || names.length === 0) {
    throw new Unsure(`${EFI}/efivars is empty: efivarfs is not mounted, so Secure Boot cannot be read`)
  }
  const secureBoot = await readEfiByte(host, `SecureBoot-${GLOBAL}`)
  if (secureBoot === undefined) throw new Unsure(`${EFI}/efivars has no SecureBoot variable`)
  if (secureBoot === 0) return 'off'
  // Validation by shim can be disabled (mokutil --disable-validation); only then the variable exists.
  return (await readEfiByte(host, `MokSBStateRT-${SHIM}`)) === 1 ? 'off' : 'on'
}

async function readEfiByte(host: HostReader, name: string): Promise<number | undefined> {
  const path = `${EFI}/efivars/${name}`
  const text = await host.read(path)
  if (text === undefined) return undefined
  const byte = parseEfiByte(text)
  if (byte === undefined)
    throw new Unsure(`${path} has an unexpected format (four bytes of attributes and a 0 or 1 are expected)`)
  return byte
}

/** An efivar of one byte: four bytes of attributes, then the value. */
export const parseEfiByte = (text: string): 0 | 1 | undefined => {
  if (text.length !== 5) return undefined
  return ({ '\0': 0, '\x01': 1 } as const)[text.slice(4)]
}

export const secureBootFact = defineFact({
  name: 'secure-boot',
  describes: 'whether Secure Boot is on (SecureBoot variable of the firmware)',
  detect: detectSecureBoot,
  format: state => state
})
