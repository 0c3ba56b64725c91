import { attempt } from './attempt.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { type Attempt, Unsure } from './fact.ts'
import { listed } from './listed.ts'
import { requireMounted } from './numbers.ts'

/** The x86 modules that can drive /dev/kvm. The kernel runs one of them at a time (linux arch/x86/kvm/x86.c kvm_x86_vendor_init). */
export const KVM_MODULES = ['kvm_intel', 'kvm_amd', 'kvm_pvm'] as const
export type KvmModule = (typeof KVM_MODULES)[number]

export interface Kvm {
  /** The device node, if it exists. It proves nothing about the modules: udev can create it before one is loaded. */
  readonly device: { readonly number: string; readonly mode: number } | undefined
  /** Those of `KVM_MODULES` in /sys/module: loaded now, or built in. */
  readonly modules: Attempt<readonly KvmModule[]>
}

/** kvm is misc device 10:232 (Documentation/admin-guide/devices.txt). */
export const KVM_DEVICE = '10:232'

/** The agent has no permission to open /dev/kvm and does not need it: kind, number and mode are enough. */
export const detectKvm: Detector<Kvm> = async ({ host }) => {
  const [directory, device, modules] = await Promise.all([
    host.stat('/dev'),
    host.stat('/dev/kvm'),
    attempt(async () => {
      await requireMounted(host, 'sys')
      const found = await Promise.all(KVM_MODULES.map(name => host.stat(`/sys/module/${name}`)))
      return KVM_MODULES.filter((_, index) => found[index] !== undefined)
    })
  ])
  if (directory === undefined) throw new Unsure('/dev of the node is not mounted below the host root')
  return {
    device: device && { number: device.kind === 'character' ? device.device : device.kind, mode: device.mode },
    modules
  }
}

export const kvmFact = defineFact({
  name: 'kvm',
  describes: 'type and mode of `/dev/kvm`, and which of kvm_intel, kvm_amd and kvm_pvm are in `/sys/module`',
  detect: detectKvm,
  format: ({ device, modules }) =>
    [
      device ? `/dev/kvm ${device.number} mode ${device.mode.toString(8).padStart(4, '0')}` : 'no /dev/kvm',
      modules.ok ? listed(modules.value, 'no x86 module') : `modules unknown: ${modules.why}`
    ].join(', ')
})
