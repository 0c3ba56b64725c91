import { type Evidence, HostError, type Inventory } from '../host/host.ts'
import { evidenceOf, type Testimony, witness } from '../host/witness.ts'
import { detectAppArmor, detectAppArmorUserns } from './apparmor.ts'
import { detectCrioDevices } from './crio.ts'
import { detectDistro } from './distro.ts'
import { detectDocker } from './docker.ts'
import { type Detector, type Fact, type Sources, Unsure } from './fact.ts'
import { detectFuse } from './fuse.ts'
import { detectGpus, detectMig, detectNvidiaDevices, detectNvidiaDriver, detectNvidiaLibrary } from './gpu.ts'
import { detectHeaders } from './headers.ts'
import { detectInotify } from './inotify.ts'
import { detectArchitecture, detectBootId, detectKernel, detectUpstream } from './kernel.ts'
import { detectKernelModules } from './kernel-modules/detect.ts'
import { detectCloud, detectMachine } from './machine.ts'
import {
  detectLoadPin,
  detectLockdown,
  detectModuleSwitch,
  detectSecureBoot,
  detectSignatureEnforcement
} from './module-loading.ts'
import { detectNode } from './node-object.ts'
import { MOUNT_SIGNS } from './numbers.ts'
import { detectProcfs } from './procfs.ts'
import { detectProofs, evidenceOfProofs, type Proofs } from './proofs.ts'
import { DRA_DRIVER, type DraDevices, detectResourceSlices, type ResourceSlices } from './resource-slices.ts'
import { detectSeccomp, detectSeccompDefault, detectSeLinux, detectYama } from './security.ts'
import { deriveShiftfs } from './shiftfs.ts'
import { detectHostPaths, detectStorage, detectSysboxStorage, detectVarLib } from './storage.ts'
import { detectConntrack, detectSysbox } from './sysbox.ts'
import { detectNamespaceLimits, detectUserNamespaces } from './user-namespaces.ts'

const detectInventory: Detector<Inventory> = async ({ host }) => {
  const inventory = await host.inventory()
  if (inventory === undefined) throw new Unsure('the host root shows another machine than the one this process runs on')
  return inventory
}

/** Asked only where the operator named the namespace of workspaces. */
export type PodSecurity = { readonly asked: false } | { readonly asked: true; readonly level: string }

const detectPodSecurity: Detector<PodSecurity> = async ({ podSecurity }) => {
  if (podSecurity === undefined) return { asked: false }
  if (!podSecurity.ok) throw new Unsure(podSecurity.why)
  return { asked: true, level: podSecurity.value }
}

/** Every fact that is looked at. A new one is a file, a line here, and a recorded node that shows it. */
export const detectors = {
  kernel: detectKernel,
  'upstream-kernel': detectUpstream,
  architecture: detectArchitecture,
  distro: detectDistro,
  'boot-id': detectBootId,
  'kernel-modules': detectKernelModules,
  headers: detectHeaders,
  'module-switch': detectModuleSwitch,
  'secure-boot': detectSecureBoot,
  lockdown: detectLockdown,
  'module-signatures': detectSignatureEnforcement,
  loadpin: detectLoadPin,
  'user-namespaces': detectUserNamespaces,
  'namespace-limits': detectNamespaceLimits,
  inotify: detectInotify,
  seccomp: detectSeccomp,
  'seccomp-default': detectSeccompDefault,
  fuse: detectFuse,
  'crio-devices': detectCrioDevices,
  selinux: detectSeLinux,
  apparmor: detectAppArmor,
  'apparmor-userns': detectAppArmorUserns,
  yama: detectYama,
  storage: detectStorage,
  'sysbox-storage': detectSysboxStorage,
  'var-lib': detectVarLib,
  'host-paths': detectHostPaths,
  machine: detectMachine,
  cloud: detectCloud,
  gpus: detectGpus,
  'nvidia-driver': detectNvidiaDriver,
  'nvidia-devices': detectNvidiaDevices,
  'nvidia-library': detectNvidiaLibrary,
  mig: detectMig,
  sysbox: detectSysbox,
  docker: detectDocker,
  conntrack: detectConntrack,
  procfs: detectProcfs,
  node: detectNode,
  'resource-slices': detectResourceSlices,
  'pod-security': detectPodSecurity,
  inventory: detectInventory,
  proofs: detectProofs
} as const satisfies Readonly<Record<string, Detector<unknown>>>

export type DetectorName = keyof typeof detectors
export const DETECTOR_NAMES = Object.keys(detectors) as readonly DetectorName[]

/** What was looked at. */
export type DetectedFacts = {
  readonly [Name in DetectorName]: Fact<Awaited<ReturnType<(typeof detectors)[Name]>>>
}

/** What was looked at, and what follows from it. */
export type NodeFacts = DetectedFacts & { readonly shiftfs: ReturnType<typeof deriveShiftfs> }
export type FactName = keyof NodeFacts

export interface Observation {
  readonly facts: NodeFacts
  /** Seconds from the first question of each detector to its last answer; they overlap. */
  readonly durations: Readonly<Record<DetectorName, number>>
}

/**
 * One look at the node. Nothing that the node does makes it fail: what cannot be read is an unknown fact with its reason.
 * `clock` gives milliseconds.
 */
export async function observe(sources: Sources, clock: () => number): Promise<Observation> {
  const shared = witness(sources.host)
  const looks = await Promise.all(
    DETECTOR_NAMES.map(async name => {
      const begin = clock()
      const fact = await observeFact(name, { ...sources, host: shared.host })
      return { name, fact, seconds: (clock() - begin) / 1000 }
    })
  )
  const detected = Object.fromEntries(looks.map(({ name, fact }) => [name, fact])) as unknown as DetectedFacts
  const durations = Object.fromEntries(looks.map(({ name, seconds }) => [name, seconds])) as Record<DetectorName, number>
  return { facts: withDerived(detected), durations }
}

/** Adds what follows from the facts that were looked at. Pure. */
export const withDerived = (detected: DetectedFacts): NodeFacts =>
  Object.freeze({ ...detected, shiftfs: deriveShiftfs(detected) })

/** One fact: known, or unknown with the reason. Throws nothing that the node can cause. */
export async function observeFact(name: DetectorName, sources: Sources): Promise<Fact<unknown>> {
  const detect: Detector<unknown> = detectors[name]
  const eyes = witness(sources.host)
  const evidence = (): readonly Evidence[] => eyes.testimony().filter(tells).map(evidenceOf)
  try {
    const value = await detect({ ...sources, host: eyes.host })
    return { known: true, value, evidence: [...evidence(), ...given(detect, sources, value)] }
  } catch (error) {
    if (!(error instanceof HostError || error instanceof Unsure)) throw error
    return { known: false, why: error.message, evidence: evidence() }
  }
}

/** That /proc and /sys are mounted is worth a word only where they are not. */
const tells = ({ verb, subject, answer }: Testimony): boolean =>
  verb !== 'stat' || answer === undefined || !(Object.values(MOUNT_SIGNS) as readonly string[]).includes(subject)

/** What a detector was given instead of looking for it on the node. */
function given(detect: unknown, { node, proofs, readings }: Sources, value: unknown): readonly Evidence[] {
  if (detect === detectNode && node !== undefined) {
    return [{ source: `Node ${node.name}`, saw: `${node.kubelet}, ${node.containerRuntime}` }]
  }
  if (detect === detectAppArmorUserns && readings?.apparmorUserns === value)
    return [{ source: 'privileged helper', saw: `the restriction is ${value}` }]
  if (detect === detectAppArmor && readings?.profiles !== undefined)
    return [{ source: 'privileged helper', saw: `profiles that matter: ${Object.keys(readings.profiles).join(', ') || 'none'}` }]
  if (detect === detectResourceSlices && (value as ResourceSlices).asked) {
    return [{ source: `ResourceSlices of ${DRA_DRIVER}`, saw: `${(value as DraDevices).devices} devices` }]
  }
  return detect === detectProofs && proofs !== undefined ? evidenceOfProofs(value as Proofs) : []
}
