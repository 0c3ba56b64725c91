import type { Version } from '../facts/kernel.ts'

/** The decisions that the rules leave to the operator. Each default is the safe choice. */
export interface Policy {
  /** Replaces the kernel rule of CVMs: for an older Sysbox (5.4), or to require a newer kernel. */
  readonly minimumKernel: Version | undefined
  readonly gpuInVirtualMachines: 'deny' | 'allow'
  readonly shiftfsOutsideUbuntu: 'deny' | 'allow'
  readonly apparmorUserns: 'block' | 'allow'
  readonly selinuxPodman: 'block' | 'allow'
  /** Names of the extended resources that offer FUSE to pods. */
  readonly fuseResources: readonly string[]
  /** Names of the extended resources that offer /dev/kvm to pods. */
  readonly kvmResources: readonly string[]
  /** The kubelet's root directory; if empty, berth finds it. */
  readonly kubeletRoot: string
  readonly privilegedWorkspaces: 'unset' | 'allowed' | 'denied'
  /** The namespace whose Pod Security level decides on privileged pods; empty if none was given. */
  readonly workspaceNamespace: string
}
