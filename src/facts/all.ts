import { apparmorFact, apparmorUsernsFact } from './apparmor.ts'
import { crioDevicesFact } from './crio.ts'
import { distroFact } from './distro.ts'
import { dockerFact } from './docker.ts'
import { resourceSlicesFact } from './dra-gpus.ts'
import { fuseFact } from './fuse.ts'
import { gpusFact, migFact, nvidiaDevicesFact, nvidiaDriverFact, nvidiaLibraryFact } from './gpu.ts'
import { headersFact } from './headers.ts'
import { proofsFact } from './helper-proofs.ts'
import { hugepagesFact } from './hugepages.ts'
import { inotifyFact } from './inotify.ts'
import { inventoryFact } from './inventory.ts'
import { architectureFact, bootIdFact, kernelFact, upstreamKernelFact } from './kernel.ts'
import { kernelModulesFact } from './kernel-modules/detect.ts'
import { cloudFact, machineFact } from './machine.ts'
import { loadpinFact, lockdownFact, moduleSignaturesFact, moduleSwitchFact, secureBootFact } from './module-loading.ts'
import { nodeFact } from './node.ts'
import { podSecurityFact } from './pod-security.ts'
import { procfsFact } from './procfs.ts'
import { seccompDefaultFact, seccompFact, selinuxFact, yamaFact } from './security.ts'
import { shiftfsFact } from './shiftfs.ts'
import { hostPathsFact, storageFact, sysboxStorageFact, varLibFact } from './storage.ts'
import { swapFact } from './swap.ts'
import { conntrackFact, sysboxFact } from './sysbox.ts'
import { namespaceLimitsFact, userNamespacesFact } from './user-namespaces.ts'

/** Every fact that is detected, in the order of the report. */
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

/** Every fact that follows from others. */
export const DERIVED_FACTS = [shiftfsFact] as const

/** Every fact, as the documents list them. */
export const ALL_FACTS = [...DETECTED_FACTS, ...DERIVED_FACTS] as const

export type DetectorName = (typeof DETECTED_FACTS)[number]['name']
export const DETECTOR_NAMES: readonly DetectorName[] = DETECTED_FACTS.map(({ name }) => name)
