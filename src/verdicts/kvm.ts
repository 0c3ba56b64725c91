import { KVM_DEVICE, type Kvm } from '../facts/kvm.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { defineCapability } from './define-capability.ts'
import type { Policy } from './policy.ts'
import { allOf, ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

/**
 * MicroVMs. That /dev/kvm opens and answers API version 12 is no proof: with kvm_pvm it does, and an ordinary guest kernel dies at once
 * ("KVM internal error. Suberror: 1"). On x86, the module decides.
 */
export function judgeKvm(facts: NodeFacts, policy: Policy): Verdict {
  const parts = [
    ask(facts, 'KVM device', 'kvm', found => judgeDevice(found, wayToKvm(facts))),
    judgeKvmModule(facts),
    ...(facts.node.known ? [judgeOffered(facts, facts.node.value, policy.kvmResources)] : [])
  ]
  return allOf('kvm', parts, ['KVM device', 'KVM module', 'KVM offered to pods'])
}

const LOAD = 'load the module (modprobe kvm_intel or kvm_amd)'
const ON_METAL = `Enable virtualization (VT-x or AMD-V) in the firmware, and ${LOAD}.`
const IN_VM = `Use bare metal nodes, or machines with nested virtualization, and ${LOAD}.`
const ON_ARM = 'Use bare metal arm64 nodes whose firmware starts Linux at exception level EL2; KVM is built into their kernel.'

/** What brings KVM to this node: it depends on the architecture, and on whether the node is itself a virtual machine. */
function wayToKvm({ architecture, machine }: NodeFacts): string {
  if (architecture.known && architecture.value === 'arm64') return ON_ARM
  if (!machine.known) return `${ON_METAL} In a virtual machine, enable nested virtualization instead.`
  return machine.value.kind === 'virtual' ? IN_VM : ON_METAL
}

function judgeDevice({ device }: Kvm, wayOut: string): Judgement {
  if (device === undefined) return no('/dev/kvm is missing', wayOut)
  return device.number === KVM_DEVICE
    ? yes(`/dev/kvm is device ${KVM_DEVICE}`)
    : no(
        `/dev/kvm is ${device.number}, not device ${KVM_DEVICE}`,
        'Replace the device: rm /dev/kvm; mknod -m 660 /dev/kvm c 10 232.'
      )
}

/** arm64 kernels have KVM built in, without a module of its own. */
function judgeKvmModule(facts: NodeFacts): Verdict {
  const name = 'KVM module'
  const { architecture } = facts
  if (!architecture.known) return ask(facts, name, 'architecture', () => yes(''))
  if (architecture.value === 'arm64') return leaf(name, ['architecture'], yes('KVM is built into arm64 kernels'))
  if (architecture.value !== 'amd64') return leaf(name, ['architecture'], unsure(untested(architecture.value), OTHER_MACHINES))
  return { ...ask(facts, name, 'kvm', found => judgeModules(found, wayToKvm(facts))), facts: ['architecture', 'kvm'] }
}

const OTHER_MACHINES = 'Use a node pool of amd64 or arm64 machines.'
const untested = (architecture: string) => `no rule says which module drives KVM on ${architecture}`

function judgeModules({ modules }: Kvm, wayOut: string): Judgement {
  if (!modules.ok) return unsure(modules.why, 'Give the agent access: the reason says what it could not read.')
  const drivers = modules.value.filter(name => name !== 'kvm_pvm')
  const hasPvm = modules.value.includes('kvm_pvm')
  if (drivers.length === 0)
    return no(
      `neither kvm_intel nor kvm_amd is in /sys/module${hasPvm ? '; with kvm_pvm an ordinary guest kernel does not start' : ''}`,
      wayOut
    )
  // A module that is built in has a directory there even if the processor cannot use it.
  if (hasPvm)
    return unsure(
      `${drivers.join(' and ')} and kvm_pvm are in /sys/module, and only one of them drives /dev/kvm`,
      `Unload kvm_pvm (modprobe -r kvm_pvm). ${wayOut}`
    )
  return yes(`${drivers.join(' and ')} in /sys/module`)
}

const OFFER =
  'Offer /dev/kvm to pods: with components/devices and BERTH_OFFER=fuse,kvm (chart: devices.offer={fuse,kvm}), with a device plugin of your own (--kvm-resources), or with Kata Containers.'

/** KVM is offered by a device plugin, or used by the Kata runtime, which opens the device outside of the pod. */
function judgeOffered(facts: NodeFacts, node: NodeObject, resources: readonly string[]): Verdict {
  const name = 'KVM offered to pods'
  const offered = resources.find(resource => (node.allocatable[resource] ?? 0) > 0)
  if (offered !== undefined) {
    const sentence = `the Node offers ${node.allocatable[offered]} ${offered}`
    return leaf(name, ['node', 'kvm'], yes(sentence, cautionOfMode(facts)))
  }
  return leaf(name, ['node'], judgeKata(node, resources))
}

function judgeKata({ runtimeHandlers, kubelet }: NodeObject, resources: readonly string[]): Judgement {
  const kata = runtimeHandlers?.find(handler => handler.startsWith('kata'))
  if (kata !== undefined)
    return yes(
      `the Node reports the runtime handler ${kata}`,
      `KVM is offered by Kata only: the pod needs a RuntimeClass with the handler ${kata}, and gets no /dev/kvm`
    )
  const none = resources.length === 0 ? '--kvm-resources is empty' : `the Node offers none of ${resources.join(', ')}`
  return runtimeHandlers === undefined
    ? unsure(`${none}, and kubelet ${kubelet} does not report its runtime handlers, where Kata would be`, OFFER)
    : no(`${none}, and the Node reports no runtime handler of Kata`, OFFER)
}

/** Pods get the device with the mode and the group that it has on the node. */
function cautionOfMode({ kvm }: NodeFacts): string | undefined {
  const device = kvm.known ? kvm.value.device : undefined
  if (device === undefined || (device.mode & 0o006) === 0o006) return undefined
  const mode = device.mode.toString(8).padStart(4, '0')
  return `/dev/kvm has mode ${mode}: in a pod, only root and the device's group can open it, and nobody with hostUsers: false`
}

export const kvm = defineCapability({
  name: 'kvm',
  describes: 'microVMs in a pod: Firecracker or an emulator with `/dev/kvm`, or the Kata runtime',
  judge: judgeKvm,
  workspace: {
    nodes: [
      'Nodes need /dev/kvm: bare metal, or machines with nested virtualization. Pods get it from the device plugin',
      '(components/devices with BERTH_OFFER=fuse,kvm).'
    ]
  }
})
