import type { Snapshot } from '../cycle/snapshot.ts'
import { detectBootId } from '../facts/boot-id.ts'
import { spread } from '../growing-wait.ts'
import { createNodeSync, type NodeSync } from '../node-sync/reconcile.ts'
import { VERSION } from '../version.ts'
import type { Emit } from './agent-events.ts'
import { type Agent, writableNode } from './world.ts'

/** The first observation waits so long for the Node. If it then takes so long itself, the labels of an earlier boot are demoted (milliseconds). */
const FIRST_OBSERVATION = 1_000

const SHORTEST = 20 // milliseconds

/** One turn at a time until the agent ends: an observation when one is due or wanted, then the Node is made to agree with it. */
export async function runLoop(agent: Agent): Promise<void> {
  const { config, world, wake, seen } = agent
  const { clock, signal, random, emit } = world
  const sync = nodeSync(agent)
  let snapshot: Snapshot | undefined
  let observeAt = clock.elapsed()
  while (!signal.aborted) {
    if (snapshot === undefined || clock.elapsed() >= observeAt) {
      snapshot = snapshot === undefined ? await observeFirst(agent, sync) : await agent.observe(snapshot, agent)
      observeAt = clock.elapsed() + spread(config.options.interval, random)
    }
    const view = writableNode(seen)
    const due = view === undefined ? Number.POSITIVE_INFINITY : await sync.reconcile(snapshot, view)
    if (view !== undefined) world.firstLabels.reached()
    emit({ type: 'turn-ended', isPublished: sync.isPublished(), wanted: sync.labelsOf(snapshot) })
    const wanted = await wake.next(Math.max(SHORTEST, Math.min(observeAt - clock.elapsed(), due)), signal)
    if (wanted.has('observe')) observeAt = clock.elapsed()
  }
}

const nodeSync = ({ config: { options }, connection, world }: Agent): NodeSync =>
  createNodeSync({
    connection,
    prefix: options['label-prefix'],
    version: VERSION,
    startupTaint: options['startup-taint'],
    heartbeat: options.heartbeat,
    unknownAfter: options['unknown-after'],
    clock: world.clock,
    random: world.random,
    listener: writeListener(world.emit)
  })

const writeListener = (emit: Emit): Parameters<typeof createNodeSync>[0]['listener'] => ({
  wrote: (target, result, what, error) => emit({ type: 'wrote', target, result, what, error }),
  repaired: (drift, seconds) => emit({ type: 'repaired', drift, seconds }),
  contested: (keys, begun) => emit({ type: 'contested', keys, begun })
})

/** Waits for the Node for a limited time, because half of the facts depend on it. */
async function observeFirst(agent: Agent, sync: NodeSync): Promise<Snapshot> {
  const { world, host, wake, seen } = agent
  const { clock, signal } = world
  const until = clock.elapsed() + FIRST_OBSERVATION
  while (seen.node === undefined && clock.elapsed() < until && !signal.aborted) await wake.next(until - clock.elapsed(), signal)
  const early = { ...agent, host: { ...world.early, inventory: host.inventory } }
  const done = new AbortController()
  const wasWithoutNode = seen.node === undefined
  const [snapshot] = await Promise.all([
    agent.observe(undefined, early).finally(() => done.abort()),
    demoteWhenSlow(agent, sync, AbortSignal.any([signal, done.signal]))
  ])
  // An observation without the Node must not be written to it: without a Node, a device counts as offered to pods.
  return wasWithoutNode && seen.node !== undefined ? await agent.observe(snapshot, early) : snapshot
}

/** If the first observation takes long, labels that were proved under an earlier boot become unknown. */
async function demoteWhenSlow({ world, host, seen }: Agent, sync: NodeSync, signal: AbortSignal): Promise<void> {
  await world.sleep(FIRST_OBSERVATION, signal)
  if (signal.aborted || writableNode(seen) === undefined) return
  const boot = await detectBootId({ host, node: undefined, podSecurity: undefined }).catch(() => '')
  const view = writableNode(seen)
  if (boot !== '' && view !== undefined) await sync.demote(view, boot)
}
