import { readCommandLine } from './command-line.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { atLeast, readKernel } from './kernel.ts'
import { unlessNotMounted } from './not-mounted.ts'
import { readFlag, requireMounted } from './numbers.ts'

/** Whether the kernel refuses every unsigned module: by parameter, command line or build configuration. */
export const detectSignatureEnforcement: Detector<boolean> = async ({ host }) => {
  await requireMounted(host, 'proc')
  // If the parameter exists, it has the effective value of configuration and command line.
  const parameter = await readFlag(host, '/sys/module/module/parameters/sig_enforce')
  if (parameter !== undefined) return parameter
  const cmdline = await readCommandLine(host)
  if (/(^|\s)module\.sig_enforce(=1|\s|$)/.test(cmdline)) return true
  const kernel = await readKernel(host)
  for (const path of [`/boot/config-${kernel.release}`, `/lib/modules/${kernel.release}/config`]) {
    const found = await unlessNotMounted(host.lines(path, /^CONFIG_MODULE_SIG_FORCE=/))
    if ('error' in found && !atLeast(kernel, HAS_PARAMETER)) throw found.error
    if ('value' in found && found.value !== undefined) return found.value.some(line => line === 'CONFIG_MODULE_SIG_FORCE=y')
  }
  return false
}

/** From this version on, every kernel with module signatures has the parameter (kernel/module.c, later kernel/module/signing.c). */
const HAS_PARAMETER = [5, 4] as const

export const moduleSignaturesFact = defineFact({
  name: 'module-signatures',
  describes: 'whether the kernel accepts only signed modules',
  detect: detectSignatureEnforcement,
  format: enforced => (enforced ? 'enforced' : 'not enforced')
})
