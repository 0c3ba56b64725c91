import type { Snapshot } from '../cycle/snapshot.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import { backoff } from '../kubernetes/backoff.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { createEvent, type Metadata, patchCondition, patchMetadata, patchTaints } from '../kubernetes/own-node.ts'
import { CAPABILITIES } from '../verdicts/decide.ts'
import { type Condition, conditionToWrite, opinion } from './condition.ts'
import { type Difference, differences, keysOf, restrict, type Wish, wish } from './difference.ts'
import { type Drift, driftOf, NO_QUARRELS, type Quarrels, repaired, resting } from './drift.ts'
import { capabilityChange, eventBody, type NodeEvent, remedyEvent } from './events.ts'
import { demoted, heldLabels, type Proven, provenBy } from './hold.ts'
import { type Labels, labelPatch, labels } from './labels.ts'
import { type Taint, taintRemoval } from './startup-taint.ts'
import type { Result, Target } from './status.ts'

/** The Node as it was last seen, as far as it matters here. */
export interface NodeView extends Metadata {
  readonly name: string
  readonly taints: readonly Taint[]
  readonly condition: Condition | undefined
}

/** Hears of what was done, for logs, metrics and the status page. */
export interface PublishListener {
  readonly wrote: (target: Target, result: Result, what: string, error?: ApiError) => void
  /** A label that somebody else had changed is right again, so many seconds after the news of it. */
  readonly repaired: (drift: Drift, seconds: number) => void
  /** Keys that are undone again and again: they rest for a while. `begun` are those that began to just now. */
  readonly contested: (keys: number, begun: readonly string[]) => void
}

export interface PublisherTerms {
  readonly connection: Connection
  readonly prefix: string
  readonly version: string
  readonly startupTaint: string
  /** Milliseconds. */
  readonly heartbeat: number
  readonly unknownAfter: number
  readonly clock: { readonly elapsed: () => number; readonly now: () => Date }
  readonly random: () => number
  readonly listener: PublishListener
}

export interface Publisher {
  /**
   * Makes the Node tell the snapshot, and writes only what is not so already.
   * Resolves to the milliseconds after which it wants to be called again, although nothing changes.
   */
  readonly publish: (snapshot: Snapshot, node: NodeView) => Promise<number>
  /** What the Node should carry, what is held from before included. */
  readonly labelsOf: (snapshot: Snapshot) => Labels
  /** Every label stands on the Node as it should, as the API server said after a write or in the watch. */
  readonly isPublished: () => boolean
  /** What was proved under another boot than this one is told as unknown, since the look that proves it anew takes long. */
  readonly demote: (node: NodeView, boot: string) => Promise<void>
}

/** What is remembered from one publication to the next. */
interface Book {
  /** What the report said when we first saw the Node, before we wrote our own. */
  proven: Proven | undefined
  /** Our labels when they were last right. */
  right: Labels | undefined
  /** Which Node that was: one that was made anew has lost nothing to anybody. */
  uid: string
  /** The newest version of the Node that we know of; a watch may still tell of older ones. */
  newest: bigint
  /** Since when the watch tells of an older one (milliseconds). */
  behindSince: number | undefined
  published: boolean
  quarrels: Quarrels
  /** Keys that the API refused, with the value and when to try again. */
  refused: Map<string, { readonly value: string | null; readonly until: number; readonly times: number }>
  /** Events about remedies that were told already. */
  told: Set<string>
  /** Failures of the API in a row. */
  failures: number
  /** Spreads the heartbeats of many agents: from 0.9 to 1.1. */
  jitter: number
  /** When a heartbeat is written that an outage kept from its time (milliseconds). */
  beatAt: number | undefined
  /** The condition was refused, as one is whose heartbeat lies in the future of the API server, and is not sent again before. */
  conditionRest: { readonly until: number; readonly times: number }
}

/** After an outage the heartbeats of all agents are due; nobody waits for them, so they are spread (milliseconds). */
const BEAT_LATE = 2_000
const BEAT_SPREAD = 45_000

/** The API may refuse one label for good (an admission webhook); asking again is cheap, but not often. */
const LAG = 30_000 // a watch that is behind for longer tells of a cluster restored from a backup, which counts anew
const REFUSED_FIRST = 30_000
const REFUSED_LONGEST = 600_000

export function createPublisher(terms: PublisherTerms): Publisher {
  const { connection, prefix, version, clock, random, listener } = terms
  const began = clock.elapsed()
  const book: Book = {
    proven: undefined,
    right: undefined,
    uid: '',
    newest: 0n,
    behindSince: undefined,
    published: false,
    quarrels: NO_QUARRELS,
    refused: new Map(),
    told: new Set(),
    failures: 0,
    jitter: 0.9 + random() * 0.2,
    beatAt: undefined,
    conditionRest: { until: 0, times: 0 }
  }

  const labelsOf = (snapshot: Snapshot): Labels => {
    // What an earlier agent proved under this boot counts as long as what we remember ourselves.
    const isYoung = clock.elapsed() - began < terms.unknownAfter
    return isYoung && book.proven?.boot === liveBoot(snapshot)
      ? heldLabels(snapshot, book.proven.labels, prefix)
      : labels(snapshot, prefix)
  }

  const wanted = (snapshot: Snapshot, node: NodeView): Wish => {
    book.proven ??= provenBy(reportOf(node, prefix))
    return wish(snapshot, prefix, version, labelsOf(snapshot))
  }

  const learn = (carried: Metadata): void => {
    const seen = versionOf(carried)
    if (seen > book.newest) book.newest = seen
  }

  const isBehind = (node: NodeView): boolean => {
    const now = clock.elapsed()
    if (node.uid === book.uid && versionOf(node) < book.newest) {
      book.behindSince ??= now
      if (now - book.behindSince < LAG) return true
      book.newest = 0n
    }
    book.behindSince = undefined
    return false
  }

  const demote = async (node: NodeView, boot: string): Promise<void> => {
    const before = provenBy(reportOf(node, prefix)).boot
    if (before === '' || before === boot) return
    const changed = labelPatch(demoted(node.labels, prefix), node.labels, prefix)
    if (Object.keys(changed).length === 0) return
    try {
      learn(await write(node, { labels: changed, annotations: {} }))
    } catch (error) {
      // The look will end, and what it finds is written then.
      if (!(error instanceof ApiError)) throw error
    }
  }

  const publish = async (snapshot: Snapshot, node: NodeView): Promise<number> => {
    // The watch lags behind the answers to our own writes: an older Node would look like a drift.
    if (isBehind(node)) return LAG
    learn(node)
    if (node.uid !== book.uid) {
      book.uid = node.uid
      book.right = undefined
    }
    try {
      const carried = await publishLabels(snapshot, node)
      await publishCondition(snapshot, node)
      await tellRemedies(snapshot, node)
      await removeTaint(node, carried)
      book.failures = 0
      return nextDue(node)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      book.failures += 1
      return backoff(book.failures, random, error.retryAfter * 1000)
    }
  }

  const publishLabels = async (snapshot: Snapshot, node: NodeView): Promise<Metadata> => {
    const now = clock.elapsed()
    const target = wanted(snapshot, node)
    const drift = book.right === undefined ? [] : driftOf(book.right, node.labels, prefix)
    const whole = differences(target, node)
    const rest = resting(book.quarrels, now).keys
    forgetRefused(book, new Set(keysOf(whole)))
    const due = restrict(whole, key => !rest.has(key) && !isRefused(book, key, whole, now))
    if (keysOf(due).length === 0) {
      settle(target, node, keysOf(whole).length === 0)
      listener.contested(rest.size, [])
      return node
    }
    const carried = await write(node, due)
    learn(carried)
    // What was refused is not mended.
    const mending = drift.filter(({ key }) => Object.hasOwn(due.labels, key) && carried.labels[key] === target.labels[key])
    const change = capabilityChange(book.right ?? node.labels, carried.labels, CAPABILITIES, prefix)
    settle(target, carried, keysOf(differences(target, carried)).length === 0)
    const keys = mending.map(({ key }) => key)
    for (const one of mending) listener.repaired(one, (clock.elapsed() - now) / 1000)
    quarrel(keys)
    await tell(node, driftEvent(keys), change)
    return carried
  }

  const settle = (target: Wish, carried: Metadata, published: boolean): void => {
    book.published = published
    book.right = Object.fromEntries(Object.entries(target.labels).filter(([key, value]) => carried.labels[key] === value))
  }

  /** All in one request; where the API refuses that, one by one, so that one refused key does not cost the others. */
  const write = async (node: NodeView, difference: Difference): Promise<Metadata> => {
    const told = (result: Result, error?: ApiError): void => {
      for (const [target, keys] of partsOf(difference)) listener.wrote(target, result, keys, error)
    }
    try {
      const carried = await patchMetadata(connection, node.name, { ...difference, uid: node.uid })
      for (const key of keysOf(difference)) book.refused.delete(key)
      told('written')
      return carried
    } catch (error) {
      if (!(error instanceof ApiError) || !isRefusal(error) || isUnauthorized(error)) {
        if (error instanceof ApiError) told('failed', error)
        throw error
      }
      const keys = keysOf(difference)
      if (keys.length > 1) return await writeOneByOne(node, difference)
      refuse(keys[0] as string, difference, error)
      return node
    }
  }

  const writeOneByOne = async (node: NodeView, difference: Difference): Promise<Metadata> => {
    let carried: NodeView = node
    for (const key of keysOf(difference)) {
      carried = {
        ...carried,
        ...(await write(
          carried,
          restrict(difference, candidate => candidate === key)
        ))
      }
    }
    return carried
  }

  const refuse = (key: string, difference: Difference, error: ApiError): void => {
    const times = (book.refused.get(key)?.times ?? 0) + 1
    const wait = Math.min(REFUSED_LONGEST, REFUSED_FIRST * 2 ** (times - 1))
    book.refused.set(key, { value: wantedValue(difference, key), until: clock.elapsed() + wait, times })
    for (const [target] of partsOf(difference)) listener.wrote(target, 'refused', key, error)
  }

  const quarrel = (keys: readonly string[]): void => {
    const { quarrels, begun } = repaired(book.quarrels, keys, clock.elapsed())
    book.quarrels = quarrels
    listener.contested(resting(quarrels, clock.elapsed()).keys.size, begun)
  }

  const publishCondition = async (snapshot: Snapshot, node: NodeView): Promise<void> => {
    const every = terms.heartbeat * book.jitter
    const [standing, wanted, now] = [node.condition, opinion(snapshot, book.published), clock.now()]
    const condition = conditionToWrite(standing, wanted, now, every)
    if (condition === undefined) {
      book.beatAt = undefined // another wrote it
      return
    }
    const isBeat = conditionToWrite(standing, wanted, now, Number.POSITIVE_INFINITY) === undefined
    if (isBeat && clock.elapsed() < beatTime(standing, now, every)) return
    if (clock.elapsed() < book.conditionRest.until) return
    const isWritten = await attempt('condition', condition.reason, async () =>
      learn(await patchCondition(connection, node.name, condition))
    )
    const times = isWritten ? 0 : book.conditionRest.times + 1
    const rest = Math.min(REFUSED_LONGEST, REFUSED_FIRST * 2 ** (times - 1))
    book.conditionRest = { until: isWritten ? 0 : clock.elapsed() + rest, times }
    book.jitter = 0.9 + random() * 0.2
    book.beatAt = undefined
  }

  /** At once when it is in time; one that is late is given a time of its own. */
  const beatTime = (standing: Condition | undefined, now: Date, every: number): number => {
    const late = standing === undefined ? 0 : now.getTime() - Date.parse(standing.lastHeartbeatTime) - every
    if (late < BEAT_LATE) return Number.NEGATIVE_INFINITY
    book.beatAt ??= clock.elapsed() + random() * Math.min(BEAT_SPREAD, terms.heartbeat)
    return book.beatAt
  }

  /** Each is told once: its name rests on its time, so that an agent that was restarted is answered that it exists already. */
  const tellRemedies = async ({ outcomes }: Snapshot, node: NodeView): Promise<void> => {
    for (const outcome of outcomes) {
      const id = `${outcome.remedy}.${Date.parse(outcome.at).toString(16)}`
      const event = remedyEvent(outcome)
      if (event === undefined || book.told.has(id)) continue
      book.told.add(id)
      await attempt('event', event.reason, () =>
        createEvent(connection, eventBody(event, node.name, new Date(outcome.at), id))
      ).catch(() => undefined)
    }
  }

  const removeTaint = async (node: NodeView, carried: Metadata): Promise<void> => {
    const patch = taintRemoval(node.taints, terms.startupTaint)
    // Only on a Node that was read with all labels on it: the answer to our own write is not yet that.
    if (patch === undefined || !book.published || carried !== node) return
    await attempt('taint', terms.startupTaint, async () => learn(await patchTaints(connection, node.name, patch)))
  }

  const tell = async (node: NodeView, ...events: readonly (NodeEvent | undefined)[]): Promise<void> => {
    for (const event of events.filter(found => found !== undefined)) {
      const id = `${clock.now().getTime().toString(16)}${Math.floor(random() * 0xffffff).toString(16)}`
      // An event is news and no promise: one that is lost is not told again.
      await attempt('event', event.reason, () => createEvent(connection, eventBody(event, node.name, clock.now(), id))).catch(
        () => undefined
      )
    }
  }

  /** What is refused for good is told and left; a failure that passes is thrown, to be tried again. */
  const attempt = async (target: Target, what: string, act: () => Promise<void>): Promise<boolean> => {
    try {
      await act()
      listener.wrote(target, 'written', what)
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      listener.wrote(target, isRefusal(error) ? 'refused' : 'failed', what, error)
      if (!isRefusal(error)) throw error
      return false
    }
  }

  const nextDue = ({ condition }: NodeView): number => {
    const now = clock.elapsed()
    const every = terms.heartbeat * book.jitter
    const age = condition === undefined ? 0 : clock.now().getTime() - Date.parse(condition.lastHeartbeatTime)
    // What was written just now comes back by the watch, with its own time.
    const beat = age >= 0 && age < every ? every - age : every
    const refusedUntil = [...book.refused.values()].map(({ until }) => until).filter(until => until > now)
    const due = refusedUntil.reduce(
      (first, until) => Math.min(first, until),
      Math.min(resting(book.quarrels, now).until, book.beatAt ?? Number.POSITIVE_INFINITY)
    )
    return Math.max(50, Math.min(due - now, beat))
  }

  return { publish, labelsOf, isPublished: () => book.published, demote }
}

/** Labels and report travel in one request, and are two things to whoever is told. */
const partsOf = ({ labels: changed, annotations }: Difference): readonly (readonly [Target, string])[] =>
  (
    [
      ['labels', Object.keys(changed)],
      ['report', Object.keys(annotations)]
    ] as const
  ).flatMap(([target, keys]) => (keys.length > 0 ? [[target, keys.join(', ')] as const] : []))

/** A proxy may answer without one. */
const versionOf = ({ resourceVersion }: Metadata): bigint => (/^\d+$/.test(resourceVersion) ? BigInt(resourceVersion) : 0n)

/** The API understood, and said no: to say the same again at once is of no use. */
const isRefusal = ({ status, code }: ApiError): boolean =>
  (status === 403 || status === 422 || status === 409 || status === 400) && code !== 'RECREATED'

/**
 * RBAC said no, to everything that we could ask for: an API server that was just started says so until it has read the roles, so it is
 * no word about this key. Admission, which is, says who denied the request and why.
 */
const isUnauthorized = ({ status, message }: ApiError): boolean => status === 403 && / cannot [a-z]+ resource /.test(message)

/** What is as it should be is not asked for again. */
function forgetRefused({ refused }: Book, open: ReadonlySet<string>): void {
  for (const key of refused.keys()) if (!open.has(key)) refused.delete(key)
}

const isRefused = ({ refused }: Book, key: string, difference: Difference, now: number): boolean => {
  const before = refused.get(key)
  return before !== undefined && before.until > now && before.value === wantedValue(difference, key)
}

const wantedValue = ({ labels: changed, annotations }: Difference, key: string): string | null =>
  Object.hasOwn(changed, key) ? (changed[key] ?? null) : (annotations[key] ?? null)

const driftEvent = (keys: readonly string[]): NodeEvent | undefined =>
  keys.length === 0
    ? undefined
    : { reason: 'LabelDriftRepaired', type: 'Warning', message: `somebody else changed ${keys.join(', ')}; repaired` }

const reportOf = ({ annotations }: NodeView, prefix: string): string | undefined => annotations[`${prefix}/report`]

const liveBoot = ({ facts }: Snapshot): string => (facts['boot-id'].known ? facts['boot-id'].value : 'unknown')
