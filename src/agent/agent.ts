import { CommandError, termsOf } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { type Clock, cycle } from '../cycle/cycle.ts'
import { NO_MEMORY } from '../cycle/memory.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import type { Attempt } from '../facts/fact.ts'
import { detectBootId } from '../facts/kernel.ts'
import { type NodeObject, parseNode } from '../facts/node-object.ts'
import { helperHandover } from '../helper/read-handover.ts'
import { HostError, type HostReader } from '../host/host.ts'
import { createPulse } from '../host/pulse.ts'
import { checkGuard, checkOtherNodes, checkOwnNode } from '../kubernetes/admission-guard.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import { backoff, type Pace } from '../kubernetes/backoff.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { type Identity, identify } from '../kubernetes/identity.ts'
import { metadataOf, readPodSecurity } from '../kubernetes/own-node.ts'
import { watchNode } from '../kubernetes/watch.ts'
import type { WatchedNode } from '../kubernetes/watch-events.ts'
import { standingCondition } from '../node-sync/condition.ts'
import type { NodeView } from '../node-sync/node-view.ts'
import { createNodeSync, type NodeSync } from '../node-sync/reconcile.ts'
import { VERSION } from '../version.ts'
import { growing, spread } from '../waits.ts'
import type { Introduction } from './introduction.ts'
import { type ResourceSlicesReader, resourceSlicesReader } from './resource-slices.ts'
import type { Diary } from './telemetry.ts'
import { createWake, type Wake } from './wake.ts'

export interface AgentWorld extends Pace {
  readonly clock: Clock
  /** Aborted when the agent shall end. */
  readonly signal: AbortSignal
  readonly diary: Diary
  readonly host: HostReader
  /** The node, as far as it was asked since the start: the first look is under way while the agent is loaded. */
  readonly early: HostReader
  readonly introduction: Introduction
}

/** How often it is asked whether something changed on the node (milliseconds). */
const PULSE = 900

/** The Node is waited for so long before the first look, and the first look before old labels are taken back (milliseconds). */
const FIRST_LOOK = 1_000

/** A look may take so long before the loop counts as stuck (milliseconds). */
export const STUCK = 120_000

/** Looks, publishes, watches and repairs until the signal is aborted. Throws `CommandError` for what cannot become right by waiting. */
export async function runAgent(config: Config, world: AgentWorld): Promise<void> {
  const { options } = config
  const { diary, early, introduction } = world
  const { connection } = introduction
  introduction.tell(diary)
  const { inventory, take } = lateInventory(early)
  const slicesOf = resourceSlicesReader(connection, { interval: config.options.interval, elapsed: world.clock.elapsed })
  const host = { ...world.host, inventory }
  const wake = createWake()
  try {
    diary.began(connection.server)
    await together(world, async inner => {
      const pulsing = watchPulse(options, wake)
      inner.signal.addEventListener('abort', () => clearInterval(pulsing), { once: true })
      if (inner.signal.aborted) clearInterval(pulsing)
      const taking = inner.sleep(LABELS_FIRST, inner.signal).then(take)
      taking.then(() => wake.want('look'))
      await Promise.all([taking, keepNode({ config, world: inner, host, connection, wake, look: lookWith(slicesOf) })])
    })
  } finally {
    await connection.close()
  }
}

/** All that is asked of the API, and when: watches the Node, proves who we are, and holds the Node against what each look saw. */
export async function keepNode(parts: Parts): Promise<void> {
  const { config, world, connection, wake } = parts
  const seen: Seen = { node: undefined, view: undefined, isOurs: false, isLost: false }
  const watching = watchNode(
    connection,
    config.options['node-name'],
    {
      onNode: node => noticed(node, seen, wake),
      onAlive: () => {
        seen.isLost = false
        world.diary.alive()
      },
      onRestart: (reason, error) => world.diary.watchRestarted(reason, error),
      onLost: () => {
        seen.isLost = true
      }
    },
    world
  )
  const loop = { ...parts, seen }
  await Promise.all([watching, introduced(loop), turns(loop)])
}

/** What one part throws ends the others too. */
async function together(world: AgentWorld, act: (inner: AgentWorld) => Promise<void>): Promise<void> {
  const ending = new AbortController()
  try {
    await act({ ...world, signal: AbortSignal.any([world.signal, ending.signal]) })
  } finally {
    ending.abort()
  }
}

/** The own Node as the watch showed it last. */
export interface Seen {
  node: NodeObject | undefined
  view: NodeView | undefined
  /** The API said that we may be the agent of this Node; nothing is written before. */
  isOurs: boolean
  /** The watch broke and has not come back: the view is old, and a write would be one more knock at a door that is closed. */
  isLost: boolean
}

function noticed(raw: WatchedNode | undefined, seen: Seen, wake: Wake): void {
  const node = raw && parseNode({ kind: 'Node', ...raw })
  // What matters to a fact asks for a look; labels and annotations only for holding them against what they should be.
  if (JSON.stringify(matters(node)) !== JSON.stringify(matters(seen.node))) wake.want('look')
  seen.node = node
  seen.view = raw && viewOf(raw)
  wake.want('mend')
}

const matters = (node: NodeObject | undefined) => node && { ...node, labels: node.labels['sysbox-runtime'], annotations: '' }

const viewOf = ({ metadata, spec, status }: WatchedNode): NodeView => ({
  ...metadataOf(metadata),
  name: metadata.name,
  taints: spec.taints,
  condition: standingCondition(status.conditions)
})

function watchPulse({ 'host-root': root, handover }: Config['options'], wake: Wake): NodeJS.Timeout {
  const pulse = createPulse(root, [handover])
  let last = pulse()
  return setInterval(() => {
    const now = pulse()
    if (now !== last) wake.want('look')
    last = now
  }, PULSE)
}

/**
 * An inventory starts other programs, tells nothing that a label rests on, and changes once in a machine's life: taken once, when the
 * labels can have been written.
 */
function lateInventory(host: HostReader) {
  let taken: ReturnType<HostReader['inventory']> | undefined
  return {
    inventory: () =>
      taken ?? Promise.reject(new HostError('the inventory', 'EAGAIN', { says: 'it is taken after the first look' })),
    take: async () => {
      taken = host.inventory()
      await taken.catch(() => undefined) // the next look tells
    }
  }
}

/** Until it works: the API may be away when the node starts. */
async function patiently(world: AgentWorld, act: () => Promise<void>): Promise<void> {
  for (let failures = 1; !world.signal.aborted; failures += 1) {
    try {
      await act()
      return
    } catch (error) {
      if (world.signal.aborted) return
      if (!(error instanceof ApiError)) throw error
      world.diary.apiLost(error)
      await world.sleep(backoff(failures, world.random, error.retryAfter * 1000), world.signal)
    }
  }
}

/** Who we are, whether that is who we must be, and whether the guard really refuses. Ends with the agent. */
async function introduced(loop: Loop): Promise<void> {
  const { config, world, connection, wake, seen } = loop
  const name = config.options['node-name']
  const { signal, diary, introduction } = world
  let asked: Promise<Identity> | undefined = introduction.identity
  await patiently(world, async () => {
    const answer = asked ?? identify(connection, signal)
    asked = undefined
    const { user, node } = await answer
    if (node !== '' && node !== name) {
      throw new CommandError(
        `this token belongs to a pod on the Node "${node}", and --node-name is "${name}"; set NODE_NAME from spec.nodeName`
      )
    }
    diary.identified(user, node)
    seen.isOurs = true
    wake.want('mend')
  })
  await world.sleep(LABELS_FIRST, signal)
  await guarded(loop)
}

/** What the cluster waits for comes first: nothing else is begun before the labels can have been written (milliseconds). */
const LABELS_FIRST = 250

/** Milliseconds: a policy may be applied after the agent, and becomes active seconds later; and it may be deleted at any time. */
const GUARD_FIRST = 15_000
const GUARD_AGAIN = 3_600_000

/** The proof on other Nodes is spread over this: after a blackout all agents of a cluster begin together (milliseconds). */
const GUARD_OTHERS = 900_000

/** Asks again until the signal is aborted: less and less often while there is no guard, and once an hour after it was proved. */
async function guarded({ config, world, connection }: Loop): Promise<void> {
  const { signal, diary, random, sleep } = world
  let check = checkOwnNode
  for (let missing = 0; !signal.aborted; ) {
    await patiently(world, async () => {
      const guard = await check(connection, config.options['node-name'], signal)
      missing = guard.enforced ? 0 : missing + 1
      diary.guarded(guard)
    })
    const again = missing === 0 ? GUARD_AGAIN : growing({ first: GUARD_FIRST, longest: GUARD_AGAIN }, missing)
    const isFirst = missing === 0 && check === checkOwnNode
    if (missing === 0) check = isFirst ? checkOtherNodes : checkGuard
    await sleep(isFirst ? random() * GUARD_OTHERS : spread(again, random), signal)
  }
}

export interface Parts {
  readonly config: Config
  readonly world: AgentWorld
  readonly host: HostReader
  readonly connection: Connection
  readonly wake: Wake
  readonly look: (before: Snapshot | undefined, loop: Loop) => Promise<Snapshot>
}

export interface Loop extends Parts {
  readonly seen: Seen
}

/** One turn at a time: a look when one is due or wanted, then the Node is held against it. */
async function turns(loop: Loop): Promise<void> {
  const { config, world, connection, wake, seen } = loop
  const { clock, signal, random, diary } = world
  const { options } = config
  const sync = createNodeSync({
    connection,
    prefix: options['label-prefix'],
    version: VERSION,
    startupTaint: options['startup-taint'],
    heartbeat: options.heartbeat,
    unknownAfter: options['unknown-after'],
    clock,
    random,
    listener: diary
  })
  let snapshot: Snapshot | undefined
  let lookAt = clock.elapsed()
  while (!signal.aborted) {
    if (snapshot === undefined || clock.elapsed() >= lookAt) {
      snapshot = snapshot === undefined ? await firstLook(loop, sync) : await loop.look(snapshot, loop)
      lookAt = clock.elapsed() + spread(options.interval, random)
    }
    const view = viewToMend(seen)
    const due = view === undefined ? Number.POSITIVE_INFINITY : await sync.reconcile(snapshot, view)
    diary.turned(sync.isPublished(), sync.labelsOf(snapshot))
    const wanted = await wake.next(Math.max(20, Math.min(lookAt - clock.elapsed(), due)), signal)
    if (wanted.has('look')) lookAt = clock.elapsed()
  }
}

const viewToMend = ({ view, isOurs, isLost }: Seen): NodeView | undefined => (isOurs && !isLost ? view : undefined)

/**
 * Waits for the Node, since half of the facts join from there; but not for ever. Where the look itself takes long, the Node stops
 * telling what was proved under another boot.
 */
async function firstLook(loop: Loop, sync: NodeSync): Promise<Snapshot> {
  const { world, host, wake, seen } = loop
  const { clock, signal } = world
  const until = clock.elapsed() + FIRST_LOOK
  while (seen.node === undefined && clock.elapsed() < until && !signal.aborted) await wake.next(until - clock.elapsed(), signal)
  const early = { ...world.early, inventory: host.inventory }
  const done = new AbortController()
  const demote = async (): Promise<void> => {
    await world.sleep(FIRST_LOOK, AbortSignal.any([signal, done.signal]))
    if (done.signal.aborted || signal.aborted || viewToMend(seen) === undefined) return
    const boot = await detectBootId({ host, node: undefined, podSecurity: undefined }).catch(() => '')
    const view = viewToMend(seen)
    if (boot !== '' && view !== undefined) await sync.demote(view, boot)
  }
  const wasBlind = seen.node === undefined
  const [snapshot] = await Promise.all([loop.look(undefined, { ...loop, host: early }).finally(() => done.abort()), demote()])
  // What was seen without the Node is not what it should tell: a device that no plugin offers counts as offered.
  return wasBlind && seen.node !== undefined ? await loop.look(snapshot, { ...loop, host: early }) : snapshot
}

const lookWith =
  (slicesOf: ResourceSlicesReader): Parts['look'] =>
  async (before, { config, world, host, connection, seen: { node } }) => {
    const { clock, diary } = world
    const [podSecurity, resourceSlices] = await Promise.all([podSecurityOf(config, connection), slicesOf({ host, node })])
    diary.asked('pod-security', podSecurity)
    diary.asked('resource-slices', resourceSlices)
    const past = { memory: before?.memory ?? NO_MEMORY, patience: config.options['unknown-after'] }
    const left = await helperHandover({ config, host, doubted: diary.doubted })
    const snapshot = await cycle({ host, node, podSecurity, resourceSlices, ...left }, termsOf(config), clock, past)
    diary.looked(snapshot)
    return snapshot
  }

async function podSecurityOf({ options }: Config, connection: Connection): Promise<Attempt<string> | undefined> {
  const namespace = options['workspace-namespace']
  if (namespace === '') return undefined
  try {
    return await readPodSecurity(connection, namespace)
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, why: error.message }
    throw error
  }
}
