import type { MachineName } from '../machines.ts'
import type { Answers } from './answers.ts'

/**
 * No: nearly all are virtual machines without nested virtualization, and the servers were recorded with virtualization off in their
 * firmware, so none of them has a /dev/kvm. The reason alone stands here for all others.
 */
export const kvm = {
  usually: 'no',
  except: {
    // There is no /dev to look into.
    'empty-root': 'unknown',
    // The device, kvm_intel, and a device plugin.
    'kvm-offered': 'yes',
    // The device, kvm_amd, and a runtime handler of Kata.
    'kvm-kata': 'yes',
    // The device is enough: KVM is built into arm64 kernels, and a plugin offers it.
    'kvm-arm64': 'yes',
    // What is offered to pods is not known without the Node object, and not asked.
    'kvm-no-node': 'yes',
    // /sys/module, which would tell kvm_intel from kvm_pvm, cannot be entered.
    'kvm-hidden-modules': 'unknown',
    // Both modules are in /sys/module, and either could drive the device.
    'kvm-two-modules': 'unknown',
    // No plugin offers it, and this container runtime does not report its handlers, where Kata would be.
    'kvm-no-handlers': 'unknown'
  }
} as const satisfies Answers & { readonly except: Partial<Record<MachineName, unknown>> }
