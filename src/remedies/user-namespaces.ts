import { setTimeout as wait } from 'node:timers/promises'
import { Unsure } from '../facts/fact.ts'
import { HostError } from '../host/host.ts'
import type { HostWriter } from '../host/writer.ts'
import { BottlerocketError, bottlerocketApi } from './bottlerocket-api.ts'
import { type Aim, LIMIT, limitOf, readLive, type Seen, type Settled, seenText, settle } from './bottlerocket-setting.ts'
import { type Journal, readJournal, writeJournal } from './journal.ts'
import type { Deed, Remedy } from './remedy.ts'

export interface UserNamespacesTerms {
  readonly maxUserNamespaces: number
}

/** It is looked up in its directory each time: a server that starts again makes another one. */
const SOCKET = '/run/api.sock'

/** Raises how many user namespaces a user of this node may have, and lowers it never. */
export const userNamespaces: Remedy<UserNamespacesTerms> = pacedUserNamespaces(milliseconds => wait(milliseconds))

/** The same with a sleep of the caller's. */
export function pacedUserNamespaces(sleep: (milliseconds: number) => Promise<unknown>): Remedy<UserNamespacesTerms> {
  return {
    name: 'user-namespaces',
    apply: (host, { distro }, { maxUserNamespaces }) =>
      told(async () =>
        distro.known && distro.value.id === 'bottlerocket'
          ? await raise(host, maxUserNamespaces, sleep)
          : await writeLive(host, maxUserNamespaces, '')
      ),
    undo: host => told(() => takeBack(host, sleep))
  }
}

type Sleep = (milliseconds: number) => Promise<unknown>
type Entry = NonNullable<Journal['userNamespaces']>

async function raise(host: HostWriter, wanted: number, sleep: Sleep): Promise<Deed> {
  const remember = (seen: Seen, to: number) => write(host, { from: before(seen), to, way: 'bottlerocket' })
  try {
    const api = await findApi(host)
    return raised(await settle(host, { api, sleep, remember }, atLeast(wanted)), wanted)
  } catch (error) {
    if (!(error instanceof BottlerocketError)) throw error
    if (error.trouble !== 'passing') return await writeLive(host, wanted, error.message)
    return failed(`${error.message}; the kernel has ${await readLive(host)}`)
  }
}

/** What is there already is kept where it is more: never lower. A text that is no number has no effect, so it is not enough. */
export const atLeast =
  (wanted: number): Aim =>
  ({ live, stored }) => {
    const limits = Object.values(stored).map(text => limitOf(text) ?? -1)
    const isEnough = limits.length > 0 && Math.min(live, ...limits) >= wanted
    return isEnough ? undefined : Math.max(wanted, live, ...limits)
  }

function raised({ seen, commits }: Settled, wanted: number): Deed {
  const isStored = Object.values(seen.stored).some(text => (limitOf(text) ?? -1) >= wanted)
  const now = seenText(seen)
  if (commits === 0) return deed(`staged nothing, since it is enough: ${now}`, isStored)
  // Told, and not called a failure: whether it helped is seen by the next look.
  if (seen.live < wanted) return deed(`committed ${wanted} ${commits} times through the Bottlerocket API: ${now}`, isStored)
  return deed(`set user.max_user_namespaces through the Bottlerocket API: ${now}`, isStored)
}

/** Gone after a reboot; `because` tells why it is not the Bottlerocket API that does it. */
async function writeLive(host: HostWriter, wanted: number, because: string): Promise<Deed> {
  const live = await readLive(host)
  const reason = because === '' ? '' : `, since ${because}`
  if (live >= wanted) return deed(`wrote nothing, since ${LIMIT} has ${live}`)
  await write(host, { from: live, to: wanted, way: 'sysctl' })
  await host.put(LIMIT, `${wanted}\n`)
  return deed(`wrote ${wanted} into ${LIMIT}, which had ${live} and has ${await readLive(host)}${reason}`)
}

/** Before anything is done, so that a kill leaves a trace. What we set ourselves before is not what was there before us. */
async function write(host: HostWriter, entry: Entry): Promise<void> {
  const old = await read(host)
  const from = old !== undefined && old.to === entry.from ? old.from : entry.from
  // What once went into the settings stays there until it is taken back, whatever happened to the server.
  const way = old?.way === 'bottlerocket' ? old.way : entry.way
  const isSame = old !== undefined && old.from === from && old.to === entry.to && old.way === way
  // Where only the kernel is brought to what was set already, there is nothing to take back.
  if (!isSame && from !== entry.to) await writeJournal(host, { userNamespaces: { from, to: entry.to, way } })
}

/** A journal that is not ours to understand is a failure of the world, like a file that cannot be read. */
async function read(host: HostWriter): Promise<Entry | undefined> {
  const { userNamespaces: entry } = await readJournal(host).catch((error: Error) => {
    throw error instanceof HostError ? error : new Unsure(error.message)
  })
  if (entry === undefined) return undefined
  if (isLimit(entry.from) && isLimit(entry.to)) return entry
  throw new Unsure('the journal tells of user namespaces what cannot be understood')
}

const isLimit = (found: unknown): boolean => typeof found === 'number' && Number.isSafeInteger(found) && found >= 0

const before = ({ live, stored }: Seen): number => {
  const limits = Object.values(stored).flatMap(text => limitOf(text) ?? [])
  return limits.length === 0 ? live : Math.max(...limits)
}

async function takeBack(host: HostWriter, sleep: Sleep): Promise<Deed> {
  const entry = await read(host)
  if (entry === undefined) return deed('nothing to undo: we did not raise user.max_user_namespaces here')
  const done = entry.way === 'bottlerocket' ? await lowerSetting(host, entry, sleep) : await lowerLive(host, entry)
  await writeJournal(host, { userNamespaces: undefined })
  return done
}

async function lowerSetting(host: HostWriter, entry: Entry, sleep: Sleep): Promise<Deed> {
  const settling = { api: await findApi(host), sleep, remember: () => Promise.resolve() }
  const { seen } = await settle(host, settling, backTo(entry))
  if (Object.keys(seen.stored).length === 0) return await lowerLive(host, entry)
  if (backTo(entry)(seen) !== undefined) throw new Unsure(`it was put back to ${entry.from}, and still ${seenText(seen)}`)
  const isBack = seen.live === entry.from && Object.values(seen.stored).every(text => limitOf(text) === entry.from)
  return isBack
    ? deed(`put user.max_user_namespaces back from ${entry.to} to ${entry.from} through the Bottlerocket API`, true)
    : deed(`left as it is, since somebody changed it after us: ${seenText(seen)}, and we had set ${entry.to}`)
}

/** Nothing stored means that our commit never happened, and the API cannot forget a key that it has. */
const backTo =
  ({ from, to }: Entry): Aim =>
  ({ live, stored }) => {
    const limits = [live, ...Object.values(stored).map(limitOf)]
    const isOurs = limits.length > 1 && limits.every(limit => limit === to || limit === from)
    return isOurs && limits.includes(to) ? from : undefined
  }

async function lowerLive(host: HostWriter, { from, to }: Entry): Promise<Deed> {
  const live = await readLive(host)
  if (live === from) return deed(`nothing to put back: ${LIMIT} has ${live}`)
  if (live !== to) return deed(`left as it is, since somebody changed it after us: ${LIMIT} has ${live}, and we had set ${to}`)
  await host.put(LIMIT, `${from}\n`)
  const now = await readLive(host)
  if (now !== from) throw new Unsure(`${from} was written into ${LIMIT}, and it has ${now}`)
  return deed(`put ${LIMIT} back from ${to} to ${from}`)
}

async function findApi(host: HostWriter) {
  const found = await host.stat(SOCKET)
  const path = await host.realpath(SOCKET)
  if (found?.kind === 'socket' && path !== undefined) return bottlerocketApi(host.inside(path))
  throw new BottlerocketError('absent', `the Bottlerocket API has no socket at ${SOCKET}`)
}

/** The world's failures become a deed that failed; bugs go on. */
async function told(act: () => Promise<Deed>): Promise<Deed> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof HostError || error instanceof Unsure || error instanceof BottlerocketError) return failed(error.message)
    throw error
  }
}

const deed = (did: string, persistent = false): Deed => ({ failure: undefined, did, persistent, tail: '' })
const failed = (failure: string): Deed => ({ failure, did: '', persistent: false, tail: '' })
