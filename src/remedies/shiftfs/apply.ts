import { dirname } from 'node:path'
import type { NodeFacts } from '../../facts/observe.ts'
import { shiftfsTrials } from '../../facts/shiftfs.ts'
import type { HostWriter } from '../../host/writer.ts'
import { bootOf } from '../boot.ts'
import { type Deed, deed, failed } from '../deed.ts'
import type { Action, CommonTerms } from '../define-remedy.ts'
import { type Journal, readJournal, writeJournal } from '../journal.ts'
import { isLoaded, loadModule, modprobe, unloadModule } from '../kernel-module.ts'
import { type Built, build } from './build.ts'
import { claimModule, isOurs, settleClaim } from './claim.ts'
import { type Attempted, countFailure, whyNotAgain } from './failures.ts'
import { whyNoBuild } from './needs.ts'
import { mustBeOurs, persist, unpersist } from './persist.ts'
import type { ShiftfsPlanTerms } from './plan.ts'
import { clearScratch, removeFolder } from './scratch.ts'
import { findSource } from './source.ts'

interface OwnTerms {
  /** The directory of the operator's sources of shiftfs; empty if none is given. */
  readonly source: string
  /** The directory for builds, outside the host. */
  readonly scratch: string
  /** Whether a module that we built is kept for the next boot. */
  readonly persist: boolean
}

export type ShiftfsTerms = CommonTerms & OwnTerms

/** Loads shiftfs, or builds it with the kernel headers and loads it. Unloads it again unless its trial succeeds. */
export const shiftfs: Action<ShiftfsTerms, ShiftfsPlanTerms> = {
  inspect: async (host, terms) => ({ cannotBuild: await whyNoBuild(host, terms) }),
  apply: async (host, facts, terms) => {
    const state = facts.shiftfs.known ? facts.shiftfs.value.state : 'absent'
    if (state === 'loadable') return await load(host, terms)
    return await buildAndLoad(host, facts, terms)
  },
  undo: async (host, terms) => {
    const { shiftfs: done } = await readJournal(host)
    if (done === undefined) return deed('nothing to undo: berth did not load shiftfs on this node')
    mustBeOurs(done.files)
    const unloaded = await unload(host, done)
    await unpersist(host, done.files)
    if (unloaded.failure === undefined) await writeJournal(host, { shiftfs: undefined })
    await clearScratch(terms.scratch)
    return {
      ...unloaded,
      did: [done.files.length > 0 ? `removed ${done.files.join(', ')}` : '', unloaded.did].filter(Boolean).join('; ')
    }
  }
}

async function load(host: HostWriter, terms: ShiftfsTerms): Promise<Deed> {
  const before = await tainted(host)
  const failure = await insertModule(host, modprobe(host, 'shiftfs'))
  if (failure !== undefined) return failure
  return await proved(host, terms, `loaded the module shiftfs that lies in /lib/modules${taintOf(before, await tainted(host))}`)
}

const insertModule = (host: HostWriter, argv: readonly [string, ...string[]]): Promise<Deed | undefined> =>
  loadModule(host, 'shiftfs', {
    argv,
    entry: { claim: () => claimModule(host), settle: isOurs => settleClaim(host, isOurs ? 'loaded' : 'others') }
  })

async function buildAndLoad(host: HostWriter, facts: NodeFacts, terms: ShiftfsTerms): Promise<Deed> {
  if (!facts.kernel.known) return failed(facts.kernel.why)
  const { release } = facts.kernel.value
  const source = await findSource(terms.source, facts.kernel.value).catch((error: Error) => error)
  if (source instanceof Error) return failed(source.message)
  const attempted = { release, source }
  const refused = await whyNotAgain(host, attempted, terms.now())
  if (refused !== undefined) return failed(refused.because, refused.tail)
  await clearScratch(terms.scratch)
  const built = await build(host, { ...attempted, scratch: terms.scratch }).catch(
    (error: Error): Built => ({ ok: false, why: error.message, tail: '' })
  )
  try {
    if (built.ok) return await insert(host, terms, built, attempted)
    await countFailure(host, attempted, { because: built.why, tail: built.tail, now: terms.now() })
    return failed(`building shiftfs failed: ${built.why}`, built.tail)
  } finally {
    if (built.ok) await removeFolder(dirname(built.file))
    await clearScratch(terms.scratch)
  }
}

async function insert(
  host: HostWriter,
  terms: ShiftfsTerms,
  built: Extract<Built, { ok: true }>,
  attempted: Attempted
): Promise<Deed> {
  const { release } = attempted
  const before = await tainted(host)
  const failure = await insertModule(host, ['insmod', built.file])
  if (failure !== undefined) return failure
  const did = `built shiftfs for ${release} and loaded it${taintOf(before, await tainted(host))}`
  const result = await proved(host, terms, built.warning === '' ? did : `${did}; ${built.warning}`)
  if (result.failure !== undefined) {
    await countFailure(host, attempted, { because: result.failure, tail: '', now: terms.now() })
  }
  if (result.failure !== undefined || !terms.persist) return result
  const kept = await persist(host, { release, file: built.file })
  return kept === ''
    ? { ...result, persistent: true }
    : { ...result, did: `${result.did}; it is not kept for the next boot: ${kept}` }
}

/** Tests the loaded module. Unloads it if it does not work, or if it could not be tested: cached workspaces would start and then fail. */
async function proved(host: HostWriter, { prove }: ShiftfsTerms, did: string): Promise<Deed> {
  const { works, failed: bad, untried } = shiftfsTrials(await prove())
  if (works) return deed(`${did}; it was tried, and works`)
  if (bad !== undefined) await writeJournal(host, { broken: { boot: await bootOf(host), because: bad.because } })
  const { failure } = await unloadModule(host, 'shiftfs')
  if (failure === undefined) await settleClaim(host, 'others')
  const after = failure ?? 'it was unloaded again'
  const result = bad === undefined ? `it could not be tested: ${untried?.because}` : `it does not work: ${bad.because}`
  return { ...failed(`${did}, and ${result}; ${after}`), did }
}

async function unload(host: HostWriter, claim: NonNullable<Journal['shiftfs']>): Promise<Deed> {
  if (!(await isLoaded(host, 'shiftfs')) || !(await isOurs(host, claim)))
    return deed('no shiftfs that berth loaded is loaded now')
  // If the module is in use, it stays ours. The files by which it was known in this boot are removed, so the journal names the boot.
  await writeJournal(host, { shiftfs: { ...claim, boot: await bootOf(host), state: 'loaded' } })
  return await unloadModule(host, 'shiftfs')
}

/** The kernel's taint bits. Out-of-tree modules set bits 12 and 13, a crash sets bit 7; only a reboot clears them. */
const tainted = async (host: HostWriter): Promise<string> => (await host.read('/proc/sys/kernel/tainted'))?.trim() ?? '?'

const taintOf = (before: string, after: string): string =>
  before === after ? `; the kernel's taint stays ${after}` : `; the kernel's taint went from ${before} to ${after}`
