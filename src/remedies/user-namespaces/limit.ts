import { Unsure } from '../../facts/fact.ts'
import { HostError } from '../../host/host.ts'
import type { HostWriter } from '../../host/writer.ts'
import { type Deed, deed, failed } from '../deed.ts'
import { type Journal, readJournal, writeJournal } from '../journal.ts'
import { BottlerocketError, bottlerocketApi } from './bottlerocket-api.ts'
import {
  type Aim,
  fileOf,
  type Limit,
  limitOf,
  readLive,
  type Seen,
  type Settled,
  seenText,
  settle
} from './bottlerocket-setting.ts'

export type Sleep = (milliseconds: number) => Promise<unknown>
type Entry = NonNullable<Journal['sysctls']>[string]

/** Resolved each time: a server that restarts creates another socket. */
const SOCKET = '/run/api.sock'

/** A limit and its wanted minimum. */
export interface Raise {
  readonly limit: Limit
  readonly wanted: number
}

/** Raises a limit through the Bottlerocket API, so that it stays after a reboot; if the API refuses or is absent, until the next boot. */
export async function raiseSetting(host: HostWriter, { limit, wanted }: Raise, sleep: Sleep): Promise<Deed> {
  const remember = (seen: Seen, to: number) => writeEntry(host, limit, { from: before(seen), to, way: 'bottlerocket' })
  try {
    const api = await findApi(host, limit)
    return raised(await settle(host, { limit, api, sleep, remember }, atLeast(wanted)), { limit, wanted })
  } catch (error) {
    if (!(error instanceof BottlerocketError)) throw error
    if (error.trouble === 'refused') return await raiseRefused(host, { limit, wanted }, error.message)
    if (error.trouble === 'absent') return await raiseLive(host, { limit, wanted }, error.message)
    return failed(`${error.message}; the kernel has ${await readLive(host, limit)}`)
  }
}

async function raiseRefused(host: HostWriter, raise: Raise, because: string): Promise<Deed> {
  const done = await raiseLive(host, raise, because)
  const { [raise.limit]: entry, ...others } = await raisedLimits(host)
  if (entry?.way === 'sysctl') await writeJournal(host, { sysctls: { ...others, [raise.limit]: { ...entry, refused: true } } })
  return done
}

/** Limits that berth wrote directly while the API was unavailable, if the API can store them now. Throws `HostError` and `Unsure`. */
export async function unstoredLimits(host: HostWriter): Promise<readonly Limit[]> {
  if ((await host.stat(SOCKET))?.kind !== 'socket') return []
  const written = Object.entries(await raisedLimits(host)).filter(([, { way, refused }]) => way === 'sysctl' && refused !== true)
  return written.map(([limit]) => limit as Limit)
}

/** Aims for at least `wanted`, and never lowers a higher value. A stored text without a number has no effect, so it must be replaced. */
export const atLeast =
  (wanted: number): Aim =>
  ({ live, stored }) => {
    const limits = Object.values(stored).map(text => limitOf(text) ?? -1)
    const isEnough = limits.length > 0 && Math.min(live, ...limits) >= wanted
    return isEnough ? undefined : Math.max(wanted, live, ...limits)
  }

function raised({ seen, commits }: Settled, { limit, wanted }: Raise): Deed {
  const isStored = Object.values(seen.stored).some(text => (limitOf(text) ?? -1) >= wanted)
  const now = seenText(seen)
  if (commits === 0) return deed(`staged nothing, since the value is high enough: ${now}`, isStored)
  // Not a failure: the next observation shows whether it helped.
  if (seen.live < wanted) return deed(`committed ${wanted} ${commits} times through the Bottlerocket API: ${now}`, isStored)
  return deed(`set ${limit} through the Bottlerocket API: ${now}`, isStored)
}

/** Raises a limit until the next boot. `because`: why the Bottlerocket API is not used. */
export async function raiseLive(host: HostWriter, { limit, wanted }: Raise, because = ''): Promise<Deed> {
  const live = await readLive(host, limit)
  const reason = because === '' ? '' : `, since ${because}`
  if (live >= wanted) return deed(`wrote nothing, since ${fileOf(limit)} has ${live}`)
  await writeEntry(host, limit, { from: live, to: wanted, way: 'sysctl' })
  await host.put(fileOf(limit), `${wanted}\n`)
  return deed(`wrote ${wanted} into ${fileOf(limit)}, which had ${live} and has ${await readLive(host, limit)}${reason}`)
}

/** Writes the journal before a change, so that a kill leaves a trace. `from` stays the value before berth's first change. */
async function writeEntry(host: HostWriter, limit: Limit, entry: Entry): Promise<void> {
  const all = await raisedLimits(host)
  const old = all[limit]
  const from = old !== undefined && old.to === entry.from ? old.from : entry.from
  // A value that was stored in the settings stays there until it is undone, even if the server is gone now.
  const way = old?.way === 'bottlerocket' ? old.way : entry.way
  const isSame = old !== undefined && old.from === from && old.to === entry.to && old.way === way
  // If only the kernel is set to the value that was stored already, there is nothing to undo.
  if (!isSame && from !== entry.to) await writeJournal(host, { sysctls: { ...all, [limit]: { from, to: entry.to, way } } })
}

/**
 * The limits that berth raised, from the journal. Throws `HostError` if the journal cannot be read, and `Unsure` if its entries are not
 * valid.
 */
export async function raisedLimits(host: HostWriter): Promise<Readonly<Record<string, Entry>>> {
  const { sysctls = {} } = await readJournal(host).catch((error: Error) => {
    throw error instanceof HostError ? error : new Unsure(error.message)
  })
  const isValid = ([name, { from, to }]: [string, Entry]) => /^(?:user|fs)\.[a-z._]+$/.test(name) && isLimit(from) && isLimit(to)
  if (Object.entries(sysctls).every(isValid)) return sysctls
  throw new Unsure('the entries for limits in the journal are not valid')
}

const isLimit = (found: unknown): boolean => typeof found === 'number' && Number.isSafeInteger(found) && found >= 0

const before = ({ live, stored }: Seen): number => {
  const limits = Object.values(stored).flatMap(text => limitOf(text) ?? [])
  return limits.length === 0 ? live : Math.max(...limits)
}

/** Puts a limit back to its value before berth, unless somebody else has changed it since. */
export async function putBack(host: HostWriter, limit: Limit, sleep: Sleep): Promise<Deed> {
  const { [limit]: entry, ...others } = await raisedLimits(host)
  if (entry === undefined) return deed(`nothing to undo: berth did not raise ${limit} on this node`)
  const { done, isUndone } =
    entry.way === 'bottlerocket'
      ? await lowerSetting(host, limit, { entry, sleep })
      : { done: await lowerLive(host, limit, entry), isUndone: true }
  if (isUndone) await writeJournal(host, { sysctls: others })
  return done
}

interface Lowering {
  readonly entry: Entry
  readonly sleep: Sleep
}

/** `isUndone`: no value of ours is left. */
async function lowerSetting(
  host: HostWriter,
  limit: Limit,
  { entry, sleep }: Lowering
): Promise<{ readonly done: Deed; readonly isUndone: boolean }> {
  const settling = { limit, api: await findApi(host, limit), sleep, remember: () => Promise.resolve() }
  const { seen, commits } = await settle(host, settling, backTo(entry))
  const limits = Object.values(seen.stored).map(limitOf)
  if (limits.length === 0) return { done: await lowerLive(host, limit, entry), isUndone: true }
  if (backTo(entry)(seen) !== undefined) throw new Unsure(`it was put back to ${entry.from}, but still ${seenText(seen)}`)
  if (seen.live === entry.from && limits.every(stored => stored === entry.from)) {
    const did =
      commits > 0
        ? `put ${limit} back from ${entry.to} to ${entry.from} through the Bottlerocket API`
        : `nothing to put back: ${limit} is ${entry.from} again already`
    return { done: deed(did, true), isUndone: true }
  }
  const left = `left unchanged, since somebody changed it after berth: ${seenText(seen)}; berth had set ${entry.to}`
  if (!limits.includes(entry.to)) return { done: deed(left), isUndone: true }
  // A commit would also set the kernel's value, which is not ours any more.
  return { done: deed(`${left}; that stays in the API until --undo runs while the kernel has ${entry.to} too`), isUndone: false }
}

/** If nothing is stored, our commit never happened: the API cannot remove a key. */
const backTo =
  ({ from, to }: Entry): Aim =>
  ({ live, stored }) => {
    const limits = [live, ...Object.values(stored).map(limitOf)]
    const isOurs = limits.length > 1 && limits.every(limit => limit === to || limit === from)
    return isOurs && limits.includes(to) ? from : undefined
  }

async function lowerLive(host: HostWriter, limit: Limit, { from, to }: Entry): Promise<Deed> {
  const file = fileOf(limit)
  const live = await readLive(host, limit)
  if (live === from) return deed(`nothing to put back: ${file} has ${live}`)
  if (live !== to) return deed(`left unchanged, since somebody changed it after berth: ${file} has ${live}; berth had set ${to}`)
  await host.put(file, `${from}\n`)
  const now = await readLive(host, limit)
  if (now !== from) throw new Unsure(`${from} was written into ${file}, but it has ${now}`)
  return deed(`put ${file} back from ${to} to ${from}`)
}

async function findApi(host: HostWriter, limit: Limit) {
  const found = await host.stat(SOCKET)
  const path = await host.realpath(SOCKET)
  if (found?.kind === 'socket' && path !== undefined) return bottlerocketApi(host.inside(path), limit)
  throw new BottlerocketError('absent', `the Bottlerocket API has no socket at ${SOCKET}`)
}
