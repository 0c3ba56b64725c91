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

/** The facts from which the state of shiftfs follows. */
export interface ShiftfsGrounds {
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
  /** The module is not the kernel's own; `undefined` when that cannot be told or there is none. */
  readonly outOfTree: boolean | undefined
  /** A kernel whose own shiftfs is known to fail on mkdir and rename (EOVERFLOW), and no trial showed that this one does not. */
  readonly suspect: boolean
}

/** What shiftfs is on this node, from what was looked at. */
export function deriveShiftfs(facts: ShiftfsGrounds): Fact<Shiftfs> {
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
  if (tried.failed !== undefined) return found('broken', `it was tried: ${tried.failed.because}`)
  if (module.state === 'unknown') return { known: false, why: module.because, evidence }
  if (registered || module.state === 'present')
    return found('loaded', tried.works ? `${module.because}; it was tried, and works` : module.because)
  if (module.state === 'loadable') return found('loadable', module.because)
  const [obstacle] = buildObstacles(facts)
  return obstacle === undefined
    ? found('buildable', `${module.because}; it could be built with the kernel headers now`)
    : found('absent', `${module.because}; it cannot be built: ${obstacle}`)
}

const SHIFTFS_TRIALS = ['shiftfs-on-disk', 'shiftfs-on-overlay'] as const

/** What the trials say of shiftfs: the first that failed, the first that could not be made. */
export interface ShiftfsTrials {
  readonly works: boolean
  readonly failed: Proof | undefined
  readonly untried: Proof | undefined
}

/** A workspace shifts its volumes on the disk and its image on overlayfs: one that fails is enough, and only both are a proof. */
export function shiftfsTrials(proofs: Proofs): ShiftfsTrials {
  const made = SHIFTFS_TRIALS.map(name => proofs[name])
  const first = (wanted: Proof['outcome']) => made.find(({ outcome }) => outcome === wanted)
  return { works: made.every(({ outcome }) => outcome === 'works'), failed: first('fails'), untried: first('untried') }
}

/**
 * Launchpad 1990849: with upstream 5.15.52 or 5.17.5 the module loads, and then mkdir and rename fail. Ubuntu mended it after its
 * 5.15.0-67, which is 5.15.85; nobody else did.
 */
function isSuspect({ kernel, distro, 'upstream-kernel': upstream }: ShiftfsGrounds): boolean {
  const release = kernel.known ? kernel.value.release : ''
  if (/^5\.17\.5(?!\d)/.test(release)) return true
  if (!/^5\.15\.\d/.test(release)) return false
  // Only Ubuntu's kernels tell it, whatever the distribution around them is.
  const exact = /^5\.15\.(\d+)$/.exec(upstream.known ? upstream.value : '')?.[1]
  if (exact !== undefined) return Number(exact) >= FIRST_BROKEN && Number(exact) <= LAST_BROKEN
  const level = Number(/^5\.15\.(\d+)/.exec(release)?.[1])
  if (level !== 0) return level >= FIRST_BROKEN
  const [, abi = ''] = /^5\.15\.0-(\d+)-/.exec(release) ?? []
  // The cloud flavours, which count from 1000, say nothing by themselves.
  return !isOther(distro) && Number(abi) >= 48 && (Number(abi) <= 67 || Number(abi) >= 1000)
}

const FIRST_BROKEN = 52
/** Ubuntu's 5.15.0-67. */
const LAST_BROKEN = 85
const isOther = (distro: Fact<Distro>): boolean => distro.known && distro.value.id !== 'ubuntu'

/** Whether any published source of shiftfs is meant for this kernel. */
export const hasShiftfsSource = (kernel: Kernel): boolean => sourceFolder(kernel) !== undefined

/** Every reason why shiftfs cannot be built and loaded here, the first to be told first. Unknown is a reason: it is not clear. */
export function buildObstacles(facts: ShiftfsGrounds): readonly string[] {
  return [
    ...loadObstacles(facts),
    judged(facts.kernel, kernel =>
      hasShiftfsSource(kernel) ? '' : `no source of shiftfs is made for kernel ${kernel.major}.${kernel.minor}`
    ),
    judged(facts.headers, headers => (facts.kernel.known ? headerObstacle(headers, facts.kernel.value) : ''))
  ].filter(obstacle => obstacle !== '')
}

/** Every reason why this kernel would not take a module that is not the distribution's own. */
function loadObstacles(facts: ShiftfsGrounds): readonly string[] {
  return [
    judged(facts['kernel-modules'], ({ supported }) => (supported ? '' : 'the kernel has no loadable modules')),
    judged(facts['module-switch'], ({ disabled }) =>
      disabled ? 'module loading is switched off (kernel.modules_disabled or nomodule)' : ''
    ),
    judged(facts['secure-boot'], state => (state === 'off' ? '' : 'Secure Boot is on')),
    judged(facts.lockdown, level => (level === 'none' || level === 'absent' ? '' : `kernel lockdown is "${level}"`)),
    judged(facts['module-signatures'], enforced => (enforced ? 'the kernel takes signed modules only (sig_enforce)' : '')),
    judged(facts.loadpin, pinned => (pinned ? "LoadPin lets modules come only from the node's own image" : '')),
    judged(facts['kernel-modules'], ({ shiftfs }) => shiftfs.blockedBy)
  ]
}

const judged = <T>(fact: Fact<T>, obstacle: (value: T) => string): string =>
  fact.known ? obstacle(fact.value) : `unknown: ${fact.why}`

function headerObstacle({ directory, missing, isIdmappedMnt, renamedata }: Headers, { release, major, minor }: Kernel): string {
  if (directory === '') return `the kernel headers of ${release} are not installed`
  if (missing.length > 0) return `the kernel headers in ${directory} are not complete (no ${missing.join(', ')})`
  if (major === 5 && minor === 15 && !isIdmappedMnt)
    return 'this 5.15 kernel lacks is_idmapped_mnt, so the source does not compile'
  if (major === 5 && minor === 10 && renamedata)
    return 'this 5.10 kernel has struct renamedata (since 5.10.220 or so), so the source does not compile'
  return ''
}

export const shiftfsFact = deriveFact({
  name: 'shiftfs',
  describes: 'the state of shiftfs, derived from the facts above',
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
