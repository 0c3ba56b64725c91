import type { HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { atLeast, readCommandLine, readKernel } from './kernel.ts'
import { unlessNotMounted } from './not-mounted.ts'
import { readCount, readFlag, requireMounted } from './numbers.ts'

const EFI = '/sys/firmware/efi'
/** The EFI global variable namespace (UEFI specification, 3.3). */
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
const SHIM = '605dab50-e046-4300-abb6-3dd810dd8b23'

/** Whether the firmware lets only signed code boot, and whether anything still checks it. */
export const detectSecureBoot: Detector<'on' | 'off'> = async ({ host }) => {
  await requireMounted(host, 'sys')
  const firmware = await host.list('/sys/firmware')
  // A container's runtime lays an empty directory over this one; every real machine has something in it.
  if (firmware?.length === 0) throw new Unsure('/sys/firmware is empty: it is masked here')
  if (!firmware?.includes('efi')) return 'off'
  const names = await host.list(`${EFI}/efivars`)
  if (names === undefined || names.length === 0) {
    throw new Unsure(`${EFI}/efivars is empty: efivarfs is not mounted, so Secure Boot cannot be read`)
  }
  const secureBoot = await readEfiByte(host, `SecureBoot-${GLOBAL}`)
  if (secureBoot === undefined) throw new Unsure(`${EFI}/efivars has no SecureBoot variable`)
  if (secureBoot === 0) return 'off'
  // shim can be told to check nothing (mokutil --disable-validation); the variable is there only then.
  return (await readEfiByte(host, `MokSBStateRT-${SHIM}`)) === 1 ? 'off' : 'on'
}

async function readEfiByte(host: HostReader, name: string): Promise<number | undefined> {
  const path = `${EFI}/efivars/${name}`
  const text = await host.read(path)
  if (text === undefined) return undefined
  const byte = parseEfiByte(text)
  if (byte === undefined) throw new Unsure(`${path} does not hold four bytes of attributes and a 0 or 1`)
  return byte
}

/** An efivar of one byte: four bytes of attributes, then the value. */
export const parseEfiByte = (text: string): 0 | 1 | undefined => {
  if (text.length !== 5) return undefined
  return ({ '\0': 0, '\x01': 1 } as const)[text.slice(4)]
}

export type Lockdown = 'absent' | 'none' | 'integrity' | 'confidentiality'

/** kernel_lockdown(7): anything but none refuses unsigned modules. */
export const detectLockdown: Detector<Lockdown> = async ({ host }) => {
  await requireSecurityFs(host)
  const path = '/sys/kernel/security/lockdown'
  const text = await host.read(path)
  if (text === undefined) return 'absent'
  const level = parseLockdown(text)
  if (level === undefined) throw new Unsure(`${path} holds ${JSON.stringify(text.slice(0, 60))}, no marked level`)
  return level
}

/** `none [integrity] confidentiality`: the brackets mark the level. */
export const parseLockdown = (text: string): Exclude<Lockdown, 'absent'> | undefined => {
  const [, level] = /^(?:\w+ )*\[(none|integrity|confidentiality)\](?: \w+)*\n?$/.exec(text) ?? []
  return level as Exclude<Lockdown, 'absent'> | undefined
}

/** LoadPin lets modules come only from the file system that the first one came from (COS). */
export const detectLoadPin: Detector<boolean> = async ({ host }) => {
  await requireSecurityFs(host)
  const path = '/sys/kernel/security/lsm'
  const text = await host.read(path)
  if (text !== undefined) return text.trim().split(',').includes('loadpin')
  return ((await readCount(host, '/proc/sys/kernel/loadpin/enforce')) ?? 0) !== 0
}

async function requireSecurityFs(host: HostReader): Promise<void> {
  const names = await host.list('/sys/kernel/security')
  if (names === undefined || names.length === 0) {
    throw new Unsure('/sys/kernel/security is empty: securityfs is not mounted below the host root')
  }
}

/** Whether the kernel refuses every unsigned module, by parameter, command line or its own configuration. */
export const detectSignatureEnforcement: Detector<boolean> = async ({ host }) => {
  await requireMounted(host, 'proc')
  // Where the parameter is there, it holds what the configuration and the command line came to.
  const parameter = await readFlag(host, '/sys/module/module/parameters/sig_enforce')
  if (parameter !== undefined) return parameter
  const cmdline = await readCommandLine(host)
  if (/(^|\s)module\.sig_enforce(=1|\s|$)/.test(cmdline)) return true
  const kernel = await readKernel(host)
  for (const path of [`/boot/config-${kernel.release}`, `/lib/modules/${kernel.release}/config`]) {
    const found = await unlessNotMounted(host.lines(path, /^CONFIG_MODULE_SIG_FORCE=/))
    if ('error' in found && !atLeast(kernel, ALWAYS_TOLD)) throw found.error
    if ('value' in found && found.value !== undefined) return found.value.some(line => line === 'CONFIG_MODULE_SIG_FORCE=y')
  }
  return false
}

/** From here on the parameter is there wherever signatures are compiled in at all (kernel/module.c, later kernel/module/signing.c). */
const ALWAYS_TOLD = [5, 4] as const

export interface ModuleSwitch {
  /** kernel.modules_disabled; a kernel booted with `nomodule` shows it as 1 too. */
  readonly disabled: boolean
}

/** Whether this kernel loads modules at all. */
export const detectModuleSwitch: Detector<ModuleSwitch> = async ({ host }) => {
  await requireMounted(host, 'proc')
  const path = '/proc/sys/kernel/modules_disabled'
  const cmdline = await readCommandLine(host)
  const disabled = await readCount(host, path)
  return { disabled: disabled === undefined || disabled !== 0 || /(^|\s)nomodule(\s|$)/.test(cmdline) }
}

export const moduleSwitchFact = defineFact({
  name: 'module-switch',
  describes: '`kernel.modules_disabled` and `nomodule`',
  detect: detectModuleSwitch,
  format: ({ disabled }) => `module loading is switched ${disabled ? 'off' : 'on'}`
})

export const secureBootFact = defineFact({
  name: 'secure-boot',
  describes: 'the SecureBoot variable of the firmware',
  detect: detectSecureBoot,
  format: state => state
})

export const lockdownFact = defineFact({
  name: 'lockdown',
  describes: 'the kernel lockdown level',
  detect: detectLockdown,
  format: level => level
})

export const moduleSignaturesFact = defineFact({
  name: 'module-signatures',
  describes: 'whether only signed modules load',
  detect: detectSignatureEnforcement,
  format: enforced => (enforced ? 'enforced' : 'not enforced')
})

export const loadpinFact = defineFact({
  name: 'loadpin',
  describes: 'whether modules must come from the node image (Container-Optimized OS)',
  detect: detectLoadPin,
  format: pinned => (pinned ? 'on' : 'off')
})
