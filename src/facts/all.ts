import { apparmorFact } from './apparmor.ts'
import { apparmorUsernsFact } from './apparmor-userns.ts'
import { architectureFact } from './architecture.ts'
import { bootIdFact } from './boot-id.ts'
import { cloudFact } from './cloud.ts'
import { conntrackFact } from './conntrack.ts'
import { crioDevicesFact } from './crio.ts'
import { distroFact } from './distro.ts'
import { dockerFact } from './docker.ts'
import { resourceSlicesFact } from './dra-gpus.ts'
import { fuseFact } from './fuse.ts'
import { gpusFact } from './gpu/gpus.ts'
import { migFact } from './gpu/mig.ts'
import { nvidiaDevicesFact } from './gpu/nvidia-devices.ts'
import { nvidiaDriverFact } from './gpu/nvidia-driver.ts'
import { nvidiaLibraryFact } from './gpu/nvidia-library.ts'
import { headersFact } from './headers.ts'
import { proofsFact } from './helper-proofs.ts'
import { hostPathsFact } from './host-paths.ts'
import { hugepagesFact } from './hugepages.ts'
import { inotifyFact } from './inotify.ts'
import { inventoryFact } from './inventory.ts'
import { kernelFact } from './kernel.ts'
import { kernelModulesFact } from './kernel-modules/detect.ts'
import { kvmFact } from './kvm.ts'
import { loadpinFact } from './loadpin.ts'
import { lockdownFact } from './lockdown.ts'
import { machineFact } from './machine.ts'
import { moduleSignaturesFact } from './module-signatures.ts'
import { moduleSwitchFact } from './module-switch.ts'
import { namespaceLimitsFact } from './namespace-limits.ts'
import { nodeFact } from './node.ts'
import { podSecurityFact } from './pod-security.ts'
import { procfsFact } from './procfs.ts'
import { seccompFact } from './seccomp.ts'
import { seccompDefaultFact } from './seccomp-default.ts'
import { secureBootFact } from './secure-boot.ts'
import { selinuxFact } from './selinux.ts'
import { shiftfsFact } from './shiftfs.ts'
import { storageFact } from './storage.ts'
import { swapFact } from './swap.ts'
import { sysboxFact } from './sysbox.ts'
import { sysboxStorageFact } from './sysbox-storage.ts'
import { upstreamKernelFact } from './upstream-kernel.ts'
import { userNamespacesFact } from './user-namespaces.ts'
import { varLibFact } from './var-lib.ts'
import { yamaFact } from './yama.ts'

/** Every detected fact, in the order of the report. */
export const DETECTED_FACTS = [
  kernelFact,
  upstreamKernelFact,
  architectureFact,
  distroFact,
  bootIdFact,
  kernelModulesFact,
  headersFact,
  moduleSwitchFact,
  secureBootFact,
  lockdownFact,
  moduleSignaturesFact,
  loadpinFact,
  userNamespacesFact,
  namespaceLimitsFact,
  inotifyFact,
  seccompFact,
  seccompDefaultFact,
  fuseFact,
  kvmFact,
  crioDevicesFact,
  selinuxFact,
  apparmorFact,
  apparmorUsernsFact,
  yamaFact,
  storageFact,
  sysboxStorageFact,
  varLibFact,
  hostPathsFact,
  machineFact,
  cloudFact,
  gpusFact,
  nvidiaDriverFact,
  nvidiaDevicesFact,
  nvidiaLibraryFact,
  migFact,
  sysboxFact,
  dockerFact,
  conntrackFact,
  procfsFact,
  nodeFact,
  resourceSlicesFact,
  podSecurityFact,
  inventoryFact,
  hugepagesFact,
  swapFact,
  proofsFact
] as const

/** Every derived fact. */
export const DERIVED_FACTS = [shiftfsFact] as const

/** Every fact, in the order of the documents. */
export const ALL_FACTS = [...DETECTED_FACTS, ...DERIVED_FACTS] as const

export type DetectorName = (typeof DETECTED_FACTS)[number]['name']
export const DETECTOR_NAMES: readonly DetectorName[] = DETECTED_FACTS.map(({ name }) => name)
