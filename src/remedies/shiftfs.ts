import { dirname } from 'node:path'
import type { NodeFacts } from '../facts/observe.ts'
import type { Proofs } from '../facts/proofs.ts'
import { shiftfsTrials } from '../facts/shiftfs.ts'
import type { HostWriter } from '../host/writer.ts'
import { type Journal, readJournal, writeJournal } from './journal.ts'
import type { Deed, Remedy } from './remedy.ts'
import { type Built, build } from './shiftfs-build.ts'
import { mustBeOurs, persist, unpersist } from './shiftfs-persist.ts'
import { clearScratch, removeFolder } from './shiftfs-scratch.ts'
import { findSource, type Source } from './shiftfs-source.ts'

export interface ShiftfsTerms {
  /** The operator's sources, empty where none were given. */
  readonly source: string
  readonly scratch: string
  /** Whether the module shall be there after a reboot too. */
  readonly persist: boolean
  readonly now: () => Date
  /** Tries the module that was just loaded. */
  readonly prove: () => Promise<Proofs>
}

/** The same source on the same kernel fails the same way: tried three times, since a disk may have been full. */
const MOST_FAILURES = 3
/** Pairs of kernel and source whose failures are known. */
const MOST_REMEMBERED = 8
/** Milliseconds after the first failed build; the next one waits four times as long. */
const FIRST_PAUSE = 60_000

/** Loads shiftfs, or builds it with the kernel headers and then loads it, and keeps it only if it works. */
export const shiftfs: Remedy<ShiftfsTerms> = {
  name: 'shiftfs',
  apply: async (host, facts, terms) => {
    const state = facts.shiftfs.known ? facts.shiftfs.value.state : 'absent'
    if (state === 'loadable') return await load(host, facts, terms)
    return await buildAndLoad(host, facts, terms)
  },
  undo: async (host, terms) => {
    const { shiftfs: done } = await readJournal(host)
    if (done === undefined) return deed('nothing to undo: we loaded no shiftfs here')
    mustBeOurs(done.files)
    const said = await unload(host, done)
    await unpersist(host, done.files)
    if (said.failure === undefined) await writeJournal(host, { shiftfs: undefined })
    await clearScratch(terms.scratch)
    return {
      ...said,
      did: [done.files.length > 0 ? `removed ${done.files.join(', ')}` : '', said.did].filter(Boolean).join('; ')
    }
  }
}

async function load(host: HostWriter, facts: NodeFacts, terms: ShiftfsTerms): Promise<Deed> {
  const before = await tainted(host)
  await remember(host, facts)
  const { status, stderr } = await host.exec(['modprobe', '-d', host.inside('/'), 'shiftfs'], { timeout: 30_000 })
  if (status !== 0) return failed(`modprobe ended with status ${status}: ${lastLine(stderr)}`, stderr)
  return await proved(host, terms, `loaded the module shiftfs that lies in /lib/modules${taintOf(before, await tainted(host))}`)
}

async function buildAndLoad(host: HostWriter, facts: NodeFacts, terms: ShiftfsTerms): Promise<Deed> {
  if (!facts.kernel.known) return failed(facts.kernel.why)
  const { release } = facts.kernel.value
  const found = await findSource(terms.source, facts.kernel.value).catch((error: Error) => error)
  if (found instanceof Error) return failed(found.message)
  const refused = tooOften(await readJournal(host), keyOf(release, found), terms.now())
  if (refused !== '') return failed(refused)
  await clearScratch(terms.scratch)
  const built = await build(host, { release, source: found, scratch: terms.scratch }).catch(
    (error: Error): Built => ({ ok: false, why: error.message, tail: '' })
  )
  try {
    if (built.ok) return await insert(host, facts, terms, built, found)
    await countFailure(host, keyOf(release, found), built.why, terms.now())
    return failed(`building shiftfs failed: ${built.why}`, built.tail)
  } finally {
    if (built.ok) await removeFolder(dirname(built.file))
    await clearScratch(terms.scratch)
  }
}

async function insert(
  host: HostWriter,
  facts: NodeFacts,
  terms: ShiftfsTerms,
  built: Extract<Built, { ok: true }>,
  source: Source
): Promise<Deed> {
  const release = facts.kernel.known ? facts.kernel.value.release : ''
  const before = await tainted(host)
  await remember(host, facts)
  const { status, stderr } = await host.exec(['insmod', built.file], { timeout: 30_000 })
  if (status !== 0) return failed(`insmod ended with status ${status}: ${lastLine(stderr)}`, stderr)
  const did = `built shiftfs for ${release} and loaded it${taintOf(before, await tainted(host))}`
  const result = await proved(host, terms, built.warning === '' ? did : `${did}; ${built.warning}`)
  if (result.failure !== undefined) await countFailure(host, keyOf(release, source), result.failure, terms.now())
  if (result.failure !== undefined || !terms.persist) return result
  const kept = await persist(host, { release, file: built.file })
  return kept === ''
    ? { ...result, persistent: true }
    : { ...result, did: `${result.did}; it will be gone after a reboot: ${kept}` }
}

/** What is loaded and does not work is worse than nothing: a cached workspace would start and then fail. Nor does a maybe stay. */
async function proved(host: HostWriter, { prove }: ShiftfsTerms, did: string): Promise<Deed> {
  const { works, failed: bad, untried } = shiftfsTrials(await prove())
  if (works) return deed(did)
  if (bad !== undefined) await writeJournal(host, { broken: { boot: await bootOf(host), because: bad.because } })
  const { status, stderr } = await host.exec(['rmmod', 'shiftfs'], { timeout: 30_000 })
  const after = status === 0 ? 'it was unloaded again' : `and it could not be unloaded: ${lastLine(stderr)}`
  const said = bad === undefined ? `nobody could see that it works: ${untried?.because}` : `it does not work: ${bad.because}`
  return { ...failed(`${did}, and ${said}; ${after}`), did }
}

/** The live boot id, empty where it cannot be read. */
export const bootOf = async (host: HostWriter): Promise<string> =>
  (await host.read('/proc/sys/kernel/random/boot_id'))?.trim() ?? ''

async function unload(host: HostWriter, { boot, files }: NonNullable<Journal['shiftfs']>): Promise<Deed> {
  const loaded = /^shiftfs /m.test((await host.read('/proc/modules')) ?? '')
  // Another boot began without our module: what is loaded now is what we had persisted, or was loaded by somebody else.
  const ours = (await bootOf(host)) === boot || files.length > 0
  if (!loaded || !ours) return deed('our module is not loaded')
  const { status, stderr } = await host.exec(['rmmod', 'shiftfs'], { timeout: 30_000 })
  return status === 0 ? deed('unloaded shiftfs') : failed(`shiftfs stays loaded: ${lastLine(stderr)}`, stderr)
}

/** Before the deed, so that a kill in the middle leaves a trace: to undo what did not happen does no harm. */
async function remember(host: HostWriter, facts: NodeFacts): Promise<void> {
  const boot = facts['boot-id'].known ? facts['boot-id'].value : ''
  const { shiftfs: before } = await readJournal(host)
  // What was persisted under an earlier boot is still ours to remove.
  await writeJournal(host, { shiftfs: { boot, files: before?.files ?? [] } })
}

const keyOf = (release: string, { checksum }: Source): string => `${release} ${checksum}`

function tooOften({ builds = {} }: Journal, key: string, now: Date): string {
  const before = builds[key]
  if (before === undefined) return ''
  if (before.failures >= MOST_FAILURES) {
    return `this source failed ${before.failures} times on this kernel, and is not tried again until it changes: ${before.because}`
  }
  const wait = Date.parse(before.lastAt) + FIRST_PAUSE * 4 ** (before.failures - 1) - now.getTime()
  // A clock that was set back must not hold us for ever.
  return wait > 0 && wait <= FIRST_PAUSE * 4 ** MOST_FAILURES
    ? `tried again in ${Math.ceil(wait / 1000)} s; the last time: ${before.because}`
    : ''
}

async function countFailure(host: HostWriter, key: string, because: string, now: Date): Promise<void> {
  const { builds = {} } = await readJournal(host)
  const { [key]: before, ...others } = builds
  const failed = { failures: (before?.failures ?? 0) + 1, lastAt: now.toISOString(), because: because.slice(0, 300) }
  // A node may boot an older kernel again; the oldest entries are forgotten.
  const kept = Object.entries(others).slice(1 - MOST_REMEMBERED)
  await writeJournal(host, { builds: { ...Object.fromEntries(kept), [key]: failed } })
}

/** The kernel's taint bits; out-of-tree modules set 12 and 13, a crash bit 7, and nothing clears them but a reboot. */
const tainted = async (host: HostWriter): Promise<string> => (await host.read('/proc/sys/kernel/tainted'))?.trim() ?? '?'

const taintOf = (before: string, after: string): string =>
  before === after ? `; the kernel's taint stays ${after}` : `; the kernel's taint went from ${before} to ${after}`

const deed = (did: string): Deed => ({ failure: undefined, did, persistent: false, tail: '' })
const failed = (failure: string, tail = ''): Deed => ({ failure, did: '', persistent: false, tail: tail.trim().slice(-2000) })
const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''
