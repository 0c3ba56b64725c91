import type { Version } from '../facts/kernel.ts'

/** What the rules leave to the operator. The defaults are the safe side of each. */
export interface Policy {
  /** Replaces the kernel rule of CVMs, for those who run an older Sysbox (5.4) or want a newer kernel. */
  readonly minimumKernel: Version | undefined
  readonly gpuInVirtualMachines: 'deny' | 'allow'
  readonly shiftfsOutsideUbuntu: 'deny' | 'allow'
  readonly apparmorUserns: 'block' | 'allow'
  readonly selinuxPodman: 'block' | 'allow'
  /** Extended resources by which FUSE is offered to pods. */
  readonly fuseResources: readonly string[]
  /** Where the kubelet keeps its pods; empty: to be found. */
  readonly kubeletRoot: string
  readonly privilegedWorkspaces: 'unset' | 'allowed' | 'denied'
  /** The namespace whose Pod Security level decides on privileged pods, empty when none was named. */
  readonly workspaceNamespace: string
}
