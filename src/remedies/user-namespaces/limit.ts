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

/** It is looked up in its directory each time: a server that starts again makes another one. */
const SOCKET = '/run/api.sock'

/** One limit, and what it shall be at least. */
export interface Raise {
  readonly limit: Limit
  readonly wanted: number
}

/** Through the API of Bottlerocket, so that it stays after a reboot; where that cannot be, until then. */
export async function raiseSetting(host: HostWriter, { limit, wanted }: Raise, sleep: Sleep): Promise<Deed> {
  const remember = (seen: Seen, to: number) => write(host, limit, { from: before(seen), to, way: 'bottlerocket' })
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

/** Limits that we wrote while the API was away, and that it is there now to keep. Throws `HostError` and `Unsure`. */
export async function unstoredLimits(host: HostWriter): Promise<readonly Limit[]> {
  if ((await host.stat(SOCKET))?.kind !== 'socket') return []
  const written = Object.entries(await raisedLimits(host)).filter(([, { way, refused }]) => way === 'sysctl' && refused !== true)
  return written.map(([limit]) => limit as Limit)
}

/** What is there already is kept where it is more: never lower. A text that is no number has no effect, so it is not enough. */
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
  // Told, and not called a failure: whether it helped is seen by the next look.
  if (seen.live < wanted) return deed(`committed ${wanted} ${commits} times through the Bottlerocket API: ${now}`, isStored)
  return deed(`set ${limit} through the Bottlerocket API: ${now}`, isStored)
}

/** Gone after a reboot; `because` tells why it is not the Bottlerocket API that does it. */
export async function raiseLive(host: HostWriter, { limit, wanted }: Raise, because = ''): Promise<Deed> {
  const live = await readLive(host, limit)
  const reason = because === '' ? '' : `, since ${because}`
  if (live >= wanted) return deed(`wrote nothing, since ${fileOf(limit)} has ${live}`)
  await write(host, limit, { from: live, to: wanted, way: 'sysctl' })
  await host.put(fileOf(limit), `${wanted}\n`)
  return deed(`wrote ${wanted} into ${fileOf(limit)}, which had ${live} and has ${await readLive(host, limit)}${reason}`)
}

/** Before anything is done, so that a kill leaves a trace. What we set ourselves before is not what was there before us. */
async function write(host: HostWriter, limit: Limit, entry: Entry): Promise<void> {
  const all = await raisedLimits(host)
  const old = all[limit]
  const from = old !== undefined && old.to === entry.from ? old.from : entry.from
  // What once went into the settings stays there until it is taken back, whatever happened to the server.
  const way = old?.way === 'bottlerocket' ? old.way : entry.way
  const isSame = old !== undefined && old.from === from && old.to === entry.to && old.way === way
  // Where only the kernel is brought to what was set already, there is nothing to take back.
  if (!isSame && from !== entry.to) await writeJournal(host, { sysctls: { ...all, [limit]: { from, to: entry.to, way } } })
}

/**
 * What the journal tells that we raised. A journal that is not ours to understand is a failure of the world, like a file that cannot be
 * read. Throws `HostError` and `Unsure`.
 */
export async function raisedLimits(host: HostWriter): Promise<Readonly<Record<string, Entry>>> {
  const { sysctls = {} } = await readJournal(host).catch((error: Error) => {
    throw error instanceof HostError ? error : new Unsure(error.message)
  })
  const isRight = ([name, { from, to }]: [string, Entry]) => /^(?:user|fs)\.[a-z._]+$/.test(name) && isLimit(from) && isLimit(to)
  if (Object.entries(sysctls).every(isRight)) return sysctls
  throw new Unsure('the entries for limits in the journal are not valid')
}

const isLimit = (found: unknown): boolean => typeof found === 'number' && Number.isSafeInteger(found) && found >= 0

const before = ({ live, stored }: Seen): number => {
  const limits = Object.values(stored).flatMap(text => limitOf(text) ?? [])
  return limits.length === 0 ? live : Math.max(...limits)
}

/** Puts one limit back to what it was before us, unless somebody changed it since. */
export async function putBack(host: HostWriter, limit: Limit, sleep: Sleep): Promise<Deed> {
  const { [limit]: entry, ...others } = await raisedLimits(host)
  if (entry === undefined) return deed(`nothing to undo: berth did not raise ${limit} on this node`)
  const { done, isOver } =
    entry.way === 'bottlerocket'
      ? await lowerSetting(host, limit, { entry, sleep })
      : { done: await lowerLive(host, limit, entry), isOver: true }
  if (isOver) await writeJournal(host, { sysctls: others })
  return done
}

interface Lowering {
  readonly entry: Entry
  readonly sleep: Sleep
}

/** `isOver`: nothing of ours is left. */
async function lowerSetting(
  host: HostWriter,
  limit: Limit,
  { entry, sleep }: Lowering
): Promise<{ readonly done: Deed; readonly isOver: boolean }> {
  const settling = { limit, api: await findApi(host, limit), sleep, remember: () => Promise.resolve() }
  const { seen, commits } = await settle(host, settling, backTo(entry))
  const limits = Object.values(seen.stored).map(limitOf)
  if (limits.length === 0) return { done: await lowerLive(host, limit, entry), isOver: true }
  if (backTo(entry)(seen) !== undefined) throw new Unsure(`it was put back to ${entry.from}, but still ${seenText(seen)}`)
  if (seen.live === entry.from && limits.every(stored => stored === entry.from)) {
    const did =
      commits > 0
        ? `put ${limit} back from ${entry.to} to ${entry.from} through the Bottlerocket API`
        : `nothing to put back: ${limit} is ${entry.from} again already`
    return { done: deed(did, true), isOver: true }
  }
  const left = `left unchanged, since somebody changed it after berth: ${seenText(seen)}; berth had set ${entry.to}`
  if (!limits.includes(entry.to)) return { done: deed(left), isOver: true }
  // A commit would set the kernel's value too, which is not ours any more.
  return { done: deed(`${left}; that stays in the API until --undo runs while the kernel has ${entry.to} too`), isOver: false }
}

/** Nothing stored means that our commit never happened, and the API cannot forget a key that it has. */
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
