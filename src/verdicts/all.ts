import { cachedCvm } from './cached-cvm.ts'
import { cvm } from './cvm.ts'
import type { CapabilityDefinition } from './define-capability.ts'
import { gpu, gpuCvm } from './gpu.ts'
import { podman } from './podman.ts'
import { privileged } from './privileged.ts'
import { sysbox } from './sysbox.ts'

const DEFINITIONS = [cvm, cachedCvm, gpu, gpuCvm, podman, sysbox, privileged] as const

export type Capability = (typeof DEFINITIONS)[number]['name']

/** Every capability, in the order of reports. Labels, metrics, fleet and documents follow from it. */
export const ALL_CAPABILITIES: readonly CapabilityDefinition<Capability>[] = DEFINITIONS

export const CAPABILITIES: readonly Capability[] = ALL_CAPABILITIES.map(({ name }) => name)
