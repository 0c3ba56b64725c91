import { readCommandLine } from './command-line.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { atLeast, readKernel } from './kernel.ts'
import { unlessNotMounted } from './not-mounted.ts'
import { readFlag, requireMounted } from './numbers.ts'

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

export const moduleSignaturesFact = defineFact({
  name: 'module-signatures',
  describes: 'whether only signed modules load',
  detect: detectSignatureEnforcement,
  format: enforced => (enforced ? 'enforced' : 'not enforced')
})
