import { isDeepStrictEqual } from 'node:util'
import { Unsure } from '../../facts/fact.ts'
import { readCount } from '../../facts/numbers.ts'
import type { HostReader } from '../../host/host.ts'
import { type BottlerocketApi, BottlerocketError, type Setting, spellings } from './bottlerocket-api.ts'

/** A limit that is a sysctl, by its name with dots. */
export type Limit = `${'user' | 'fs'}.${string}`

/** In a container the files below `user` are those of the container's user namespace, which has to be the node's own. */
export const fileOf = (limit: Limit): string => `/proc/sys/${limit.replaceAll('.', '/')}`
/** fs/proc/proc_sysctl.c takes an int here. */
const LARGEST = 2_147_483_647

export interface Seen {
  /** What the kernel has. */
  readonly live: number
  /** What the API has. */
  readonly stored: Setting
}

/** What the limit shall be, in view of what it is; `undefined` when there is nothing to do. */
export type Aim = (seen: Seen) => number | undefined

export interface Settling {
  readonly limit: Limit
  readonly api: BottlerocketApi
  readonly sleep: (milliseconds: number) => Promise<unknown>
  /** Called before anything is committed, and not for what is refused already when it is staged. */
  readonly remember: (seen: Seen, value: number) => Promise<void>
}

export interface Settled {
  readonly seen: Seen
  /** How many times something was committed, as far as we were told. */
  readonly commits: number
}

/** Milliseconds between the tries; in all more than a restart of the server takes (RestartSec=5 and up to 2 s to stop). */
const PAUSES = [250, 1_000, 2_500, 4_000] as const
/** The kernel followed 26 to 54 ms after the answer; looked at every 25 ms for 3 s. */
const LOOKS = 120
const BETWEEN = 25
/** A commit that does not reach the kernel is made once more, and then told as it is. */
const MOST_COMMITS = 2

/**
 * Stages, commits and then looks at the kernel, since the answer tells nothing about it; begins anew after what passes. Resolves to
 * what is seen in the end, which need not be what was wanted. Throws `BottlerocketError`, `HostError` and `Unsure`.
 */
export async function settle(host: HostReader, settling: Settling, aim: Aim): Promise<Settled> {
  let seen: Seen | undefined
  let commits = 0
  let isSwept = false
  for (let turn = 0; ; turn++) {
    try {
      seen = await readSetting(host, settling)
      // What a killed run left would be committed by nobody, and stay for ever.
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

/** A socket that was there and is not is a server that starts again. */
const mayPass = (error: unknown, hasAnswered: boolean): boolean =>
  error instanceof BottlerocketError && (error.trouble === 'passing' || (error.trouble === 'absent' && hasAnswered))

/** Both what the kernel and what the API has. Throws `HostError`, `Unsure`, `BottlerocketError`. */
export const readSetting = async (host: HostReader, { api, limit }: Pick<Settling, 'api' | 'limit'>): Promise<Seen> => ({
  stored: await api.read(),
  live: await readLive(host, limit)
})

/** What the kernel has. Throws `HostError` and `Unsure`. */
export async function readLive(host: HostReader, limit: Limit): Promise<number> {
  const live = await readCount(host, fileOf(limit))
  if (live === undefined) throw new Unsure(`${fileOf(limit)} is not there`)
  return live
}

/** The limit that a stored text means to the kernel, which reads the first number; the API takes any text. */
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

/** The slash form is set only where it is there already: nothing can take it away again. */
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
    // Before the look, so that little time passes between the look and the commit.
    await remember(seen, value)
    const now = await readSetting(host, { api, limit })
    // There is no compare-and-set: what somebody else raised meanwhile would be lowered by our commit.
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
    // What was refused would stay staged for ever; of what was committed there is nothing left to drop.
    await api.drop(transaction).catch(() => undefined)
    throw error
  }
}

async function follow(host: HostReader, { limit, sleep }: Settling, aim: Aim, stored: Setting): Promise<void> {
  for (let reads = 0; reads < LOOKS && aim({ live: await readLive(host, limit), stored }) !== undefined; reads++)
    await sleep(BETWEEN)
}
