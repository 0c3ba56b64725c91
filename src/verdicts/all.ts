import { cachedCvm } from './cached-cvm.ts'
import { cvm } from './cvm.ts'
import type { CapabilityDefinition } from './define-capability.ts'
import { gpu, gpuCvm } from './gpu.ts'
import { kvm } from './kvm.ts'
import { podman } from './podman.ts'
import { privileged } from './privileged.ts'
import { sysbox } from './sysbox.ts'
import { userns } from './userns.ts'

const DEFINITIONS = [cvm, cachedCvm, gpu, gpuCvm, podman, sysbox, userns, kvm, privileged] as const
type Definition = (typeof DEFINITIONS)[number]

export type Capability = Definition['name']

/** Capabilities that are judged only if the operator asks for them. */
export type OptInCapability = Extract<Definition, { readonly optIn: unknown }>['name']

/** Names of all example workspaces: one for each capability, and the variants. */
export type WorkspaceName =
  | Capability
  | Extract<Definition, { readonly workspace: { readonly variants: unknown } }>['workspace']['variants'][number]

/** Every capability, in the order of reports. Labels, metrics, fleet columns, node pools and documents are derived from it. */
export const ALL_CAPABILITIES: readonly CapabilityDefinition<Capability>[] = DEFINITIONS

export const CAPABILITIES: readonly Capability[] = ALL_CAPABILITIES.map(({ name }) => name)
