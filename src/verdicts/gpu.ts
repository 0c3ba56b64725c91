import type { Gpu } from '../facts/gpu/gpus.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { DRA_DRIVER, type ResourceSlices } from '../facts/resource-slices.ts'
import { judgeCvm } from './cvm.ts'
import { defineCapability } from './define-capability.ts'
import type { Policy } from './policy.ts'
import { allOf, ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

const DRIVER = 'Install the NVIDIA driver and its device plugin (the NVIDIA GPU operator does both).'

/** An NVIDIA GPU that pods can request. */
export function judgeGpu(facts: NodeFacts): Verdict {
  const hardware = ask(facts, 'hardware', 'gpus', judgeHardware)
  // Without a GPU, missing drivers and device files are no further reasons.
  if (hardware.answer === 'no') return allOf('gpu', [hardware])
  const parts = [
    hardware,
    ask(facts, 'bound driver', 'gpus', judgeBinding),
    ask(facts, 'loaded driver', 'nvidia-driver', driver =>
      driver === 'none' ? no('the NVIDIA driver is not loaded', DRIVER) : yes(`NVIDIA driver ${driver.version} is loaded`)
    ),
    ask(facts, 'device files', 'nvidia-devices', ({ control, gpus }) =>
      control
        ? yes(`/dev/nvidiactl exists, and the driver manages ${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'}`)
        : no('/dev/nvidiactl is missing', 'Create the device files (nvidia-modprobe, or nvidia-persistenced).')
    ),
    judgeLibrary(facts),
    ...(facts.node.known ? [judgeOffer(facts, facts.node.value)] : [])
  ]
  return allOf('gpu', parts, ['hardware', 'loaded driver', 'offered to pods'])
}

function judgeHardware(gpus: readonly Gpu[]): Judgement {
  const nvidia = gpus.filter(({ vendor }) => vendor === 'nvidia')
  if (nvidia.length > 0)
    return yes(`${nvidia.length} NVIDIA ${nvidia.length === 1 ? 'GPU' : 'GPUs'} (${nvidia.map(gpu => gpu.address).join(', ')})`)
  const wayOut = 'Use a node pool with NVIDIA GPUs.'
  return gpus.length === 0
    ? no('the node has no GPU', wayOut)
    : no(
        `the GPUs are from ${[...new Set(gpus.map(({ vendor }) => vendor))].join(' and ')}; only NVIDIA GPUs are supported`,
        wayOut
      )
}

function judgeBinding(gpus: readonly Gpu[]): Judgement {
  const nvidia = gpus.filter(({ vendor }) => vendor === 'nvidia')
  const bound = nvidia.filter(({ driver }) => driver === 'nvidia')
  if (bound.length > 0) return yes(`${bound.length} of ${nvidia.length} bound to the driver nvidia`)
  const [first] = nvidia
  if (first === undefined) return no('there is no NVIDIA GPU to bind')
  return no(
    first.driver === '' ? `no driver is bound to ${first.address}` : `${first.address} is bound to ${first.driver}`,
    DRIVER
  )
}

/** After an upgrade of the driver package the library is new, but the loaded module is old until the next boot: CUDA programs fail. */
function judgeLibrary(facts: NodeFacts): Verdict {
  const driver = facts['nvidia-driver']
  const loaded = driver.known && driver.value !== 'none' ? driver.value.version : undefined
  const part = ask(facts, 'driver library', 'nvidia-library', versions => {
    if (versions.length === 0) return yes('libnvidia-ml.so.1 is not in a usual directory, so its version was not compared')
    if (loaded === undefined) return yes(`NVIDIA's library is ${versions.join(' and ')}`)
    return versions.includes(loaded)
      ? yes(`NVIDIA's library and the loaded driver are both ${loaded}`)
      : no(
          `driver/library version mismatch: NVIDIA's library is ${versions.join(' and ')}, and the loaded driver ${loaded}`,
          'Reboot the node, or reload the driver (rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia; modprobe nvidia).'
        )
  })
  return { ...part, facts: ['nvidia-library', 'nvidia-driver'] }
}

const isOffer = (name: string): boolean =>
  name === 'nvidia.com/gpu' || name === 'nvidia.com/gpu.shared' || name.startsWith('nvidia.com/mig-')

/** The NVIDIA GPUs in the Node's allocatable: a resource and its quantity. */
export const gpuOffer = (allocatable: Readonly<Record<string, number>>): readonly [name: string, count: number] | undefined =>
  Object.entries(allocatable).find(([name]) => isOffer(name))

const NO_OFFER = 'the Node offers no nvidia.com/gpu, no nvidia.com/gpu.shared and no nvidia.com/mig-*'
const OFFER = "Install NVIDIA's device plugin, or check in its log why it offers no GPU."

/** GPUs are offered by the device plugin or by NVIDIA's DRA driver. */
function judgeOffer(facts: NodeFacts, { name, allocatable }: NodeObject): Verdict {
  const part = 'offered to pods'
  const offer = gpuOffer(allocatable)
  if (offer !== undefined) return leaf(part, ['node'], yes(`the Node offers ${offer[1]} ${offer[0]}`))
  const { 'resource-slices': slices, 'nvidia-driver': driver } = facts
  const judgement = slices.known ? judgeSlices(slices.value) : unsure(`${NO_OFFER}; ${slices.why}`, LIST_SLICES)
  if (judgement !== undefined) return leaf(part, ['node', 'resource-slices'], judgement)
  // Without the driver no GPU is offered, so ResourceSlices were not read.
  if (driver.known && driver.value === 'none') return leaf(part, ['node', 'nvidia-driver'], no(NO_OFFER, OFFER))
  return leaf(part, ['node', 'resource-slices'], unsure(`${NO_OFFER}; ResourceSlices were not read`, checkSlices(name)))
}

const LIST_SLICES =
  'Let the agent list ResourceSlices (its role needs "list" on resourceslices of resource.k8s.io), or install NVIDIA\'s device plugin.'

const checkSlices = (name: string): string =>
  `Install NVIDIA's device plugin, or check whether DRA offers GPUs: kubectl get resourceslices --field-selector spec.driver=${DRA_DRIVER},spec.nodeName=${name}`

/** `undefined` if ResourceSlices were not read. */
function judgeSlices(slices: ResourceSlices): Judgement | undefined {
  if (!slices.asked) return undefined
  const { devices, tainted } = slices
  if (devices > tainted) {
    return yes(
      `NVIDIA's DRA driver offers ${devices - tainted} devices`,
      'offered by DRA: pods need a ResourceClaim or the extended resource of a DeviceClass'
    )
  }
  if (devices === 0) return no(`${NO_OFFER}, and NVIDIA's DRA driver offers no device`, OFFER)
  return no(
    `each of the ${devices} devices that NVIDIA's DRA driver offers has a taint that keeps pods away`,
    'Check the taints of the devices: kubectl get resourceslices -o yaml'
  )
}

/** An NVIDIA GPU in a CVM: only on bare metal, and only a whole GPU. */
export function judgeGpuCvm(facts: NodeFacts, policy: Policy): Verdict {
  const parts = [
    judgeCvm(facts, policy),
    judgeGpu(facts),
    judgeMetal(facts, policy),
    ask(facts, 'whole GPUs', 'mig', split =>
      split
        ? no('a GPU is split into MIG instances, which Sysbox cannot pass to a container', 'Switch MIG off (nvidia-smi -mig 0).')
        : yes('no GPU is split')
    )
  ]
  return allOf('gpu-cvm', parts, ['gpu', 'bare metal'])
}

function judgeMetal(facts: NodeFacts, { gpuInVirtualMachines }: Policy): Verdict {
  const part = ask(facts, 'bare metal', 'machine', ({ kind, sign }) =>
    kind === 'bare-metal'
      ? yes(`bare metal: ${sign}`)
      : no(
          `the node is a virtual machine (${sign}); GPUs in CVMs are supported only on bare metal`,
          'Use bare metal nodes (EC2 .metal), or try it with --gpu-in-virtual-machines=allow.'
        )
  )
  if (part.answer === 'yes' || gpuInVirtualMachines === 'deny') return part
  return {
    ...part,
    answer: 'yes',
    cautions: [`not bare metal, allowed by --gpu-in-virtual-machines (${part.because})`],
    wayOut: []
  }
}

export const gpu = defineCapability({
  name: 'gpu',
  describes: 'a pod with an NVIDIA GPU',
  judge: judgeGpu,
  workspace: { nodes: ['Nodes need the NVIDIA driver, container toolkit and device plugin.'] }
})

export const gpuCvm = defineCapability({
  name: 'gpu-cvm',
  describes: 'a container-based virtual machine with an NVIDIA GPU',
  judge: judgeGpuCvm,
  workspace: {
    nodes: [
      'Nodes need bare metal and the NVIDIA driver, container toolkit and device plugin. For Karpenter on AWS, add the',
      'requirement {key: karpenter.k8s.aws/instance-size, operator: In, values: [metal]}'
    ],
    isCvm: true
  }
})
