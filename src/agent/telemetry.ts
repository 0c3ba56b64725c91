import type { Snapshot } from '../cycle/snapshot.ts'
import type { Attempt } from '../facts/fact.ts'
import type { FactName } from '../facts/observe.ts'
import type { Guard } from '../kubernetes/admission-guard.ts'
import type { ApiError } from '../kubernetes/api-error.ts'
import type { Asked } from '../kubernetes/asked.ts'
import type { Restart } from '../kubernetes/watch.ts'
import type { Log } from '../log.ts'
import type { DriftKind } from '../node-sync/drift.ts'
import { type Labels, labels } from '../node-sync/labels.ts'
import { type ReadTimes, readTimes, type Status, type Write } from '../node-sync/status.ts'
import type { WriteListener } from '../node-sync/writes.ts'
import type { RemedyName } from '../remedies/plan.ts'
import type { Outcome } from '../remedies/remedy.ts'
import type { Metrics } from '../web/metrics.ts'
import type { Health } from '../web/server.ts'

/** Hears of everything that the agent does, and tells logs, Prometheus and the status page. It decides nothing. */
export interface Diary extends WriteListener {
  readonly began: (server: string) => void
  readonly identified: (user: string, node: string) => void
  readonly guarded: (guard: Guard) => void
  readonly looked: (snapshot: Snapshot) => void
  /** What the API was asked for a fact, and whether it told; `undefined` where it was not asked. */
  readonly asked: (fact: FactName, answer: Attempt<unknown> | undefined) => void
  /** What the helper left is not believed, or cannot be read. */
  readonly doubted: (why: string) => void
  /** `wanted`: what the Node should carry now, what is held from before included. */
  readonly turned: (isPublished: boolean, wanted: Labels) => void
  readonly alive: () => void
  /** A request to the API was answered, by this HTTP status; 0 when it was not. */
  readonly answered: (asked: Asked, status: number) => void
  readonly apiLost: (error: ApiError) => void
  readonly watchRestarted: (reason: Restart, error: ApiError | undefined) => void
  readonly status: () => Status
  readonly health: () => Health
  readonly ready: () => Health
}

export interface DiaryTerms {
  readonly log: Log
  readonly metrics: Metrics
  readonly node: string
  readonly prefix: string
  readonly version: string
  readonly clock: { readonly elapsed: () => number; readonly now: () => Date }
  /** A turn may take so long before the loop counts as stuck (milliseconds). */
  readonly patience: number
}

/** Writes that the status page remembers. */
const REMEMBERED = 20

interface Page {
  snapshot: Snapshot | undefined
  /** `undefined` before the first turn. */
  labels: Labels | undefined
  readAt: ReadTimes
  lastWrites: readonly Write[]
  api: Status['api']
  guard: boolean | undefined
  readonly drift: Record<DriftKind, number>
  turnedAt: number
  isPublished: boolean
  /** Why the API did not tell a fact the last time. */
  readonly untold: Map<FactName, string>
  /** When each remedy ran last, as far as it was counted. */
  readonly ran: Map<RemedyName, string>
}

export function createDiary({ log, metrics, node, prefix, version, clock, patience }: DiaryTerms): Diary {
  const at = (): string => clock.now().toISOString()
  const startedAt = at()
  const page: Page = {
    snapshot: undefined,
    labels: undefined,
    readAt: {},
    lastWrites: [],
    api: { server: '', state: 'disconnected', since: startedAt, lastError: '' },
    guard: undefined,
    drift: { removed: 0, changed: 0, added: 0 },
    turnedAt: clock.elapsed(),
    isPublished: false,
    untold: new Map(),
    ran: new Map()
  }

  const connected = (state: 'connected' | 'disconnected', lastError = page.api.lastError): void => {
    if (page.api.state !== state) {
      if (state === 'connected') log.event('api-back', 'the Kubernetes API answers')
      page.api = { ...page.api, state, since: at() }
    }
    page.api = { ...page.api, lastError }
  }

  return {
    began: server => {
      page.api = { ...page.api, server }
      log.event('agent-started', `berth ${version} for the Node ${node}`, { server })
    },
    identified: (user, claim) => {
      connected('connected')
      log.event(
        'identity-proved',
        `the API knows us as ${user}${claim === '' ? ', on no Node in particular' : ` on the Node ${claim}`}`
      )
    },
    guarded: ({ enforced, says }) => {
      page.guard = enforced
      metrics.guard(enforced)
      log.event(enforced ? 'guard-proved' : 'guard-missing', says)
    },
    looked: snapshot => {
      for (const { remedy, result } of snapshot.outcomes.filter(isNews(page.ran))) metrics.remedyRun(remedy, result)
      page.snapshot = snapshot
      page.readAt = readTimes(page.readAt, snapshot)
      metrics.observeSnapshot(snapshot)
      metrics.success('look', clock.now())
      log.event('node-looked-at', 'looked at the node', { recalled: snapshot.recalled })
    },
    asked: (fact, answer) => {
      const before = page.untold.get(fact)
      page.untold.delete(fact)
      if (answer === undefined) return
      if (answer.ok) {
        if (before !== undefined) log.event('fact-found', `the API tells ${fact} again`, { fact })
        return
      }
      page.untold.set(fact, answer.why)
      // Once, not at every look: it stays so until a person does something about it.
      if (answer.why !== before) log.event('fact-lost', answer.why, { fact })
    },
    doubted: why => log.event('helper-doubted', why),
    turned: (isPublished, wanted) => {
      page.labels = wanted
      page.turnedAt = clock.elapsed()
      page.isPublished = isPublished
      if (isPublished) metrics.success('publish', clock.now())
    },
    alive: () => {
      connected('connected')
      metrics.success('watch', clock.now())
    },
    answered: metrics.apiRequest,
    apiLost: error => {
      // An API that says that there is no such Node is there.
      if (error.status === 404) {
        log.event('node-missing', error.message, { error })
        return
      }
      connected('disconnected', error.message)
      log.event('api-lost', error.message, { error })
    },
    watchRestarted: (reason, error) => {
      metrics.watchRestarted(reason)
      // Only a person can mend that.
      if (reason === 'refused' && error !== undefined) log.event('watch-refused', error.message, { error })
      else log.event('watch-restarted', `the watch was opened again: ${reason}`, error === undefined ? {} : { error })
      if (error !== undefined) connected('disconnected', error.message)
    },
    wrote: (target, result, what, error) => {
      metrics.published(target, result)
      if (target === 'condition' && result === 'written') metrics.success('heartbeat', clock.now())
      page.lastWrites = [{ at: at(), target, what, result }, ...page.lastWrites].slice(0, REMEMBERED)
      if (result === 'written') log.event(WRITTEN[target], what)
      else
        log.event(result === 'refused' ? 'write-refused' : 'write-failed', `${target} ${what}: ${error?.message ?? result}`, {
          key: `${target} ${what}`
        })
    },
    repaired: ({ key, kind }, seconds) => {
      page.drift[kind] += 1
      metrics.driftRepaired(kind, seconds)
      log.event('drift-repaired', `${key} was ${kind} by somebody else, and is right again`, { key })
    },
    contested: (keys, begun) => {
      metrics.driftContested(keys)
      for (const key of begun)
        log.event('drift-contested', `somebody keeps changing ${key}; it is left alone for a minute`, { key })
    },
    status: () => ({
      at: at(),
      node,
      version,
      startedAt,
      snapshot: page.snapshot,
      readAt: page.readAt,
      labels: page.labels ?? (page.snapshot === undefined ? {} : labels(page.snapshot, prefix)),
      lastWrites: page.lastWrites,
      api: page.api,
      guard: page.guard,
      drift: { ...page.drift }
    }),
    health: () => {
      const age = clock.elapsed() - page.turnedAt
      return { ok: age < patience, because: `the last turn ended ${Math.round(age / 1000)} s ago` }
    },
    ready: () => ({
      ok: page.isPublished,
      because: page.isPublished ? 'the labels are published' : 'the labels are not published yet'
    })
  }
}

/** Whether a remedy ran since we last heard of it; a file that was doubted for a while tells the same run once more. */
const isNews =
  (ran: Map<RemedyName, string>) =>
  ({ remedy, at }: Outcome): boolean => {
    if (at === '' || ran.get(remedy) === at) return false
    ran.set(remedy, at)
    return true
  }

const WRITTEN = {
  labels: 'labels-written',
  report: 'report-written',
  condition: 'condition-written',
  taint: 'taint-removed',
  event: 'event-written'
} as const
