import { isDeepStrictEqual } from 'node:util'
import { Unsure } from '../../facts/fact.ts'
import { readCount } from '../../facts/numbers.ts'
import type { HostReader } from '../../host/host.ts'
import { type BottlerocketApi, BottlerocketError, type Setting, spellings } from './bottlerocket-api.ts'

/** The name of a sysctl that is a limit, with dots. */
export type Limit = `${'user' | 'fs'}.${string}`

/** The file of a limit. In a container the files below `user` belong to the container's user namespace, which must be the node's. */
export const fileOf = (limit: Limit): string => `/proc/sys/${limit.replaceAll('.', '/')}`
/** fs/proc/proc_sysctl.c stores an int. */
const LARGEST = 2_147_483_647

export interface Seen {
  /** The kernel's value. */
  readonly live: number
  /** The API's setting. */
  readonly stored: Setting
}

/** The value to set, given the current values; `undefined` if there is nothing to do. */
export type Aim = (seen: Seen) => number | undefined

export interface Settling {
  readonly limit: Limit
  readonly api: BottlerocketApi
  readonly sleep: (milliseconds: number) => Promise<unknown>
  /** Called before each commit, and not if the API refuses to stage the value. */
  readonly remember: (seen: Seen, value: number) => Promise<void>
}

export interface Settled {
  readonly seen: Seen
  /** How many commits the API has confirmed. */
  readonly commits: number
}

/** Pauses between the tries (milliseconds); together longer than a restart of the server (RestartSec=5 and up to 2 s to stop). */
const PAUSES = [250, 1_000, 2_500, 4_000] as const
/** The kernel had the value 26 to 54 ms after the answer. It is read every 25 ms for 3 s. */
const READS = 120
const BETWEEN = 25
/** A commit that does not change the kernel's value is repeated once; then the result is reported as it is. */
const MOST_COMMITS = 2

/**
 * Stages and commits a value, and then reads it from the kernel, since the API's answer says nothing about the kernel. Starts again after
 * a passing error. Returns the values at the end, which may differ from the wanted ones. Throws `BottlerocketError`, `HostError`, `Unsure`.
 */
export async function settle(host: HostReader, settling: Settling, aim: Aim): Promise<Settled> {
  let seen: Seen | undefined
  let commits = 0
  let isSwept = false
  for (let turn = 0; ; turn++) {
    try {
      seen = await readSetting(host, settling)
      // Transactions of a killed run would stay staged for ever.
      if (!isSwept) await settling.api.sweep()
      isSwept = true
      const value = aim(seen)
      if (value === undefined || commits === MOST_COMMITS) return { seen, commits }
      await commit(host, settling, { aim, seen, value })
      commits += 1
      await follow(host, settling, aim, asStored(settling.limit, seen, value))
    } catch (error) {
      const pause = PAUSES[turn]
      if (pause === undefined || !mayPass(error, seen !== undefined)) throw error
      await settling.sleep(pause)
    }
  }
}

/** If the socket is absent after the API has answered, the server is restarting. */
const mayPass = (error: unknown, hasAnswered: boolean): boolean =>
  error instanceof BottlerocketError && (error.trouble === 'passing' || (error.trouble === 'absent' && hasAnswered))

/** Reads the values of kernel and API. Throws `HostError`, `Unsure`, `BottlerocketError`. */
export const readSetting = async (host: HostReader, { api, limit }: Pick<Settling, 'api' | 'limit'>): Promise<Seen> => ({
  stored: await api.read(),
  live: await readLive(host, limit)
})

/** Reads the kernel's value. Throws `HostError` and `Unsure`. */
export async function readLive(host: HostReader, limit: Limit): Promise<number> {
  const live = await readCount(host, fileOf(limit))
  if (live === undefined) throw new Unsure(`${fileOf(limit)} is not there`)
  return live
}

/** The number that the kernel reads from a stored text: the first one. The API accepts any text. */
export function limitOf(text: string): number | undefined {
  const [, first] = /^\s*(0x[\da-f]{1,8}|\d{1,10})(?:\s|$)/i.exec(text) ?? []
  const limit = first === undefined ? LARGEST + 1 : Number(first)
  return limit > LARGEST ? undefined : limit
}

/** `the API has 65536 and the kernel 0` */
export const seenText = ({ live, stored }: Seen): string => {
  const texts = [...new Set(Object.values(stored))].map(text => JSON.stringify(text.slice(0, 40)))
  return `the API has ${texts.join(' and ') || 'none'}, the kernel ${live}`
}

/** The setting for a value. The spelling with slashes is set only if it exists already, since the API cannot remove it again. */
const asStored = (limit: Limit, { stored }: Seen, value: number): Setting =>
  Object.fromEntries(
    spellings(limit)
      .filter((name, first) => first === 0 || stored[name] !== undefined)
      .map(name => [name, `${value}`])
  )

interface Step {
  readonly aim: Aim
  readonly seen: Seen
  readonly value: number
}

async function commit(host: HostReader, { limit, api, remember }: Settling, { aim, seen, value }: Step): Promise<void> {
  const setting = asStored(limit, seen, value)
  const transaction = await api.stage(setting)
  try {
    // Before the read, so that little time passes between read and commit.
    await remember(seen, value)
    const now = await readSetting(host, { api, limit })
    // The API has no compare-and-set: without this check the commit would lower a value that somebody else has just raised.
    if (aim(now) !== value || !isDeepStrictEqual(asStored(limit, now, value), setting)) {
      throw new BottlerocketError('passing', `somebody else changed the setting meanwhile: ${seenText(now)}`)
    }
  } catch (error) {
    await api.drop(transaction).catch(() => undefined)
    throw error
  }
  try {
    await api.commit(transaction)
  } catch (error) {
    // A refused transaction would stay staged for ever; for a committed one this does nothing.
    await api.drop(transaction).catch(() => undefined)
    throw error
  }
}

async function follow(host: HostReader, { limit, sleep }: Settling, aim: Aim, stored: Setting): Promise<void> {
  for (let reads = 0; reads < READS && aim({ live: await readLive(host, limit), stored }) !== undefined; reads++)
    await sleep(BETWEEN)
}
