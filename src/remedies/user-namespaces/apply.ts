import { setTimeout as wait } from 'node:timers/promises'
import { attempt } from '../../facts/attempt.ts'
import type { HostWriter } from '../../host/writer.ts'
import { asDeed, type Deed, together } from '../deed.ts'
import type { Action } from '../define-remedy.ts'
import { BottlerocketError } from './bottlerocket-api.ts'
import { type Limit, readLive } from './bottlerocket-setting.ts'
import { FURTHER_LIMITS } from './further-limits.ts'
import { putBack, raisedLimits, raiseLive, raiseSetting, type Sleep, unstoredLimits } from './limit.ts'
import type { UserNamespacesPlanTerms } from './plan.ts'

export type UserNamespacesTerms = Pick<UserNamespacesPlanTerms, 'maxUserNamespaces'>

/** Raises the limit of user namespaces for each user of this node. Never lowers it. */
export const userNamespaces: Action<UserNamespacesTerms, UserNamespacesPlanTerms> = pacedUserNamespaces(milliseconds =>
  wait(milliseconds)
)

const FIRST: Limit = 'user.max_user_namespaces'

const tried = (act: () => Promise<Deed>): Promise<Deed> => asDeed(act, BottlerocketError)

/** `userNamespaces` with the given `sleep`. */
export function pacedUserNamespaces(sleep: Sleep): Action<UserNamespacesTerms, UserNamespacesPlanTerms> {
  return {
    inspect: async host => {
      const unstored = await attempt(() => unstoredLimits(host))
      return { unstored: unstored.ok ? unstored.value : [] }
    },
    apply: async (host, { distro }, { maxUserNamespaces: wanted }) => {
      const first = { limit: FIRST, wanted }
      if (!distro.known || distro.value.id !== 'bottlerocket') return await tried(() => raiseLive(host, first))
      const deeds = [await tried(() => raiseSetting(host, first, sleep))]
      for (const further of await furtherLimits(host)) deeds.push(await tried(() => raiseSetting(host, further, sleep)))
      return together(deeds)
    },
    undo: host =>
      tried(async () => {
        const raised = Object.keys(await raisedLimits(host)) as readonly Limit[]
        const deeds: Deed[] = []
        for (const limit of raised.length === 0 ? [FIRST] : raised) deeds.push(await tried(() => putBack(host, limit, sleep)))
        return together(deeds)
      })
  }
}

/** The other limits that workspaces need, if they are too low or would last only until the next boot. */
async function furtherLimits(host: HostWriter) {
  const all = Object.entries(FURTHER_LIMITS) as readonly (readonly [Limit, number])[]
  const found = await Promise.all(
    all.map(async ([limit, wanted]) => ({ limit, wanted, live: await attempt(() => readLive(host, limit)) }))
  )
  const unstored = await attempt(() => unstoredLimits(host))
  const isUnstored = (limit: Limit): boolean => unstored.ok && unstored.value.includes(limit)
  return found.filter(({ limit, live, wanted }) => live.ok && (live.value < wanted || isUnstored(limit)))
}
