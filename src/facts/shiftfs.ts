import { deriveFact } from './define-fact.ts'
import type { Distro } from './distro.ts'
import type { Fact } from './fact.ts'
import type { Headers } from './headers.ts'
import type { Kernel } from './kernel.ts'
import type { KernelModules } from './kernel-modules/detect.ts'
import type { Lockdown } from './lockdown.ts'
import type { ModuleSwitch } from './module-switch.ts'
import type { Proof, Proofs } from './proofs.ts'
import { sourceFolder } from './shiftfs-sources.ts'

/** The facts from which the state of shiftfs is derived. */
export interface ShiftfsInputs {
  readonly kernel: Fact<Kernel>
  readonly 'upstream-kernel': Fact<string>
  readonly distro: Fact<Distro>
  readonly 'kernel-modules': Fact<KernelModules>
  readonly headers: Fact<Headers>
  readonly 'module-switch': Fact<ModuleSwitch>
  readonly 'secure-boot': Fact<'on' | 'off'>
  readonly lockdown: Fact<Lockdown>
  readonly 'module-signatures': Fact<boolean>
  readonly loadpin: Fact<boolean>
  readonly proofs: Fact<Proofs>
}

export type ShiftfsState = 'loaded' | 'loadable' | 'buildable' | 'absent' | 'broken'

export interface Shiftfs {
  readonly state: ShiftfsState
  readonly because: string
  /** The module is not the kernel's own; `undefined` if that is unknown or there is no module. */
  readonly outOfTree: boolean | undefined
  /** The shiftfs of this kernel is known to fail on mkdir and rename (EOVERFLOW), and no trial has shown that it works here. */
  readonly suspect: boolean
}

/** `deriveShiftfs` derives the state of shiftfs on this node from other facts. */
export function deriveShiftfs(facts: ShiftfsInputs): Fact<Shiftfs> {
  const modules = facts['kernel-modules']
  const { kernel } = facts
  if (!modules.known) return modules
  if (!kernel.known) return kernel
  if (!facts.proofs.known) return facts.proofs
  const module = modules.value.modules.shiftfs
  const { outOfTree, registered } = modules.value.shiftfs
  const evidence = modules.evidence.filter(({ source }) => /modules|filesystems/.test(source))
  const tried = shiftfsTrials(facts.proofs.value)
  const suspect = !tried.works && isSuspect(facts)
  const found = (state: ShiftfsState, because: string): Fact<Shiftfs> => ({
    known: true,
    value: { state, because, outOfTree, suspect },
    evidence
  })
  if (tried.failed !== undefined) return found('broken', `a trial failed: ${tried.failed.because}`)
  if (module.state === 'unknown') return { known: false, why: module.because, evidence }
  if (registered || module.state === 'present')
    return found('loaded', tried.works ? `${module.because}; a trial worked` : module.because)
  if (module.state === 'loadable') return found('loadable', module.because)
  const [obstacle] = buildObstacles(facts)
  return obstacle === undefined
    ? found('buildable', `${module.because}; it can be built with the installed kernel headers`)
    : found('absent', `${module.because}; it cannot be built: ${obstacle}`)
}

const SHIFTFS_TRIALS = ['shiftfs-on-disk', 'shiftfs-on-overlay'] as const

/** The trials of shiftfs: the first that failed, and the first that could not be made. */
export interface ShiftfsTrials {
  readonly works: boolean
  readonly failed: Proof | undefined
  readonly untried: Proof | undefined
}

/** A workspace needs shiftfs on the disk (volumes) and on overlayfs (image), so both trials must work, and one failure is enough. */
export function shiftfsTrials(proofs: Proofs): ShiftfsTrials {
  const made = SHIFTFS_TRIALS.map(name => proofs[name])
  const first = (wanted: Proof['outcome']) => made.find(({ outcome }) => outcome === wanted)
  return { works: made.every(({ outcome }) => outcome === 'works'), failed: first('fails'), untried: first('untried') }
}

/**
 * Launchpad 1990849: from upstream 5.15.52 and 5.17.5 on the module loads, but mkdir and rename fail. Only Ubuntu fixed this, after its
 * 5.15.0-67, which is 5.15.85.
 */
function isSuspect({ kernel, distro, 'upstream-kernel': upstream }: ShiftfsInputs): boolean {
  const release = kernel.known ? kernel.value.release : ''
  if (/^5\.17\.5(?!\d)/.test(release)) return true
  if (!/^5\.15\.\d/.test(release)) return false
  // Only Ubuntu's kernels have an upstream version, on any distribution.
  const exact = /^5\.15\.(\d+)$/.exec(upstream.known ? upstream.value : '')?.[1]
  if (exact !== undefined) return Number(exact) >= FIRST_BROKEN && Number(exact) <= LAST_BROKEN
  const level = Number(/^5\.15\.(\d+)/.exec(release)?.[1])
  if (level !== 0) return level >= FIRST_BROKEN
  const [, abi = ''] = /^5\.15\.0-(\d+)-/.exec(release) ?? []
  // The number of a cloud flavour, which begins at 1000, does not show the upstream version.
  return !isOther(distro) && Number(abi) >= 48 && (Number(abi) <= 67 || Number(abi) >= 1000)
}

const FIRST_BROKEN = 52
/** Ubuntu's 5.15.0-67. */
const LAST_BROKEN = 85
const isOther = (distro: Fact<Distro>): boolean => distro.known && distro.value.id !== 'ubuntu'

/** Whether any published source of shiftfs is meant for this kernel. */
export const hasShiftfsSource = (kernel: Kernel): boolean => sourceFolder(kernel) !== undefined

/** Every reason why shiftfs cannot be built and loaded here, the most important first. An unknown fact is a reason too. */
export function buildObstacles(facts: ShiftfsInputs): readonly string[] {
  return [
    ...loadObstacles(facts),
    judged(facts.kernel, kernel =>
      hasShiftfsSource(kernel) ? '' : `there is no shiftfs source for kernel ${kernel.major}.${kernel.minor}`
    ),
    judged(facts.headers, headers => (facts.kernel.known ? headerObstacle(headers, facts.kernel.value) : ''))
  ].filter(obstacle => obstacle !== '')
}

/** Every reason why this kernel would refuse a module that does not come with the distribution. */
function loadObstacles(facts: ShiftfsInputs): readonly string[] {
  return [
    judged(facts['kernel-modules'], ({ supported }) => (supported ? '' : 'the kernel has no loadable modules')),
    judged(facts['module-switch'], ({ disabled }) =>
      disabled ? 'module loading is disabled (kernel.modules_disabled or nomodule)' : ''
    ),
    judged(facts['secure-boot'], state => (state === 'off' ? '' : 'Secure Boot is on')),
    judged(facts.lockdown, level => (level === 'none' || level === 'absent' ? '' : `kernel lockdown is "${level}"`)),
    judged(facts['module-signatures'], enforced => (enforced ? 'the kernel accepts only signed modules (sig_enforce)' : '')),
    judged(facts.loadpin, pinned => (pinned ? "LoadPin allows only modules from the node's own image" : '')),
    judged(facts['kernel-modules'], ({ shiftfs }) => shiftfs.blockedBy)
  ]
}

const judged = <T>(fact: Fact<T>, obstacle: (value: T) => string): string =>
  fact.known ? obstacle(fact.value) : `unknown: ${fact.why}`

function headerObstacle({ directory, missing, isIdmappedMnt, renamedata }: Headers, { release, major, minor }: Kernel): string {
  if (directory === '') return `the kernel headers of ${release} are not installed`
  if (missing.length > 0) return `the kernel headers in ${directory} are incomplete (no ${missing.join(', ')})`
  if (major === 5 && minor === 15 && !isIdmappedMnt)
    return 'this 5.15 kernel has no is_idmapped_mnt, so the source does not compile'
  if (major === 5 && minor === 10 && renamedata)
    return 'this 5.10 kernel has struct renamedata (since 5.10.220 or so), so the source does not compile'
  return ''
}

export const shiftfsFact = deriveFact({
  name: 'shiftfs',
  describes: 'state of shiftfs, derived from other facts',
  derive: deriveShiftfs,
  format: ({ state, because }) => `${state}: ${because}`,
  label: {
    name: 'shiftfs',
    describes: 'whether shiftfs works on the node, or could be loaded or built',
    values: '`loaded` `loadable` `buildable` `absent` `broken` `unknown`',
    of: ({ state }) => state,
    whenUnknown: 'unknown'
  }
})
