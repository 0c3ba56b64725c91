import { setTimeout as wait } from 'node:timers/promises'
import { attempt } from '../../facts/attempt.ts'
import { Unsure } from '../../facts/fact.ts'
import { HostError } from '../../host/host.ts'
import type { HostWriter } from '../../host/writer.ts'
import { type Deed, failed, together } from '../deed.ts'
import type { Action, RemedyTerms } from '../define-remedy.ts'
import { BottlerocketError } from './bottlerocket-api.ts'
import { type Limit, readLive } from './bottlerocket-setting.ts'
import { FURTHER_LIMITS } from './further-limits.ts'
import { putBack, raisedLimits, raiseLive, raiseSetting, type Sleep, unstoredLimits } from './limit.ts'

export type UserNamespacesTerms = Pick<RemedyTerms, 'maxUserNamespaces'>

/** Raises how many user namespaces a user of this node may have, and lowers it never. */
export const userNamespaces: Action<UserNamespacesTerms> = pacedUserNamespaces(milliseconds => wait(milliseconds))

const FIRST: Limit = 'user.max_user_namespaces'

/** The same with a sleep of the caller's. */
export function pacedUserNamespaces(sleep: Sleep): Action<UserNamespacesTerms> {
  return {
    apply: async (host, { distro }, { maxUserNamespaces: wanted }) => {
      const first = { limit: FIRST, wanted }
      if (!distro.known || distro.value.id !== 'bottlerocket') return await asDeed(() => raiseLive(host, first))
      const deeds = [await asDeed(() => raiseSetting(host, first, sleep))]
      for (const further of await furtherLimits(host)) deeds.push(await asDeed(() => raiseSetting(host, further, sleep)))
      return together(deeds)
    },
    undo: host =>
      asDeed(async () => {
        const raised = Object.keys(await raisedLimits(host)) as readonly Limit[]
        const deeds: Deed[] = []
        for (const limit of raised.length === 0 ? [FIRST] : raised) deeds.push(await asDeed(() => putBack(host, limit, sleep)))
        return together(deeds)
      })
  }
}

/** What workspaces need besides, where this node has less, or has it only until the next boot. */
async function furtherLimits(host: HostWriter) {
  const all = Object.entries(FURTHER_LIMITS) as readonly (readonly [Limit, number])[]
  const found = await Promise.all(
    all.map(async ([limit, wanted]) => ({ limit, wanted, live: await attempt(() => readLive(host, limit)) }))
  )
  const unstored = await attempt(() => unstoredLimits(host))
  const isUnstored = (limit: Limit): boolean => unstored.ok && unstored.value.includes(limit)
  return found.filter(({ limit, live, wanted }) => live.ok && (live.value < wanted || isUnstored(limit)))
}

/** The world's failures become a deed that failed; bugs go on. */
async function asDeed(act: () => Promise<Deed>): Promise<Deed> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof HostError || error instanceof Unsure || error instanceof BottlerocketError) return failed(error.message)
    throw error
  }
}
