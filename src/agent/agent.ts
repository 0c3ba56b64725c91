import type { Config } from '../cli/config.ts'
import { createPulse } from '../host/change-signs.ts'
import { keepCheckingGuard } from './guard-check.ts'
import { checkIdentity } from './identity-check.ts'
import { runLoop } from './loop.ts'
import { lateInventory, observeWith } from './observation.ts'
import { resourceSlicesReader } from './resource-slices.ts'
import { createWake, type Wake } from './wake.ts'
import { watchOwnNode } from './watched-node.ts'
import type { Agent, AgentWorld } from './world.ts'

/** How often the node is checked for changes (milliseconds). */
const PULSE = 900

/** Observes, writes, watches and repairs until the signal is aborted. Throws `CommandError` for what waiting cannot resolve. */
export async function runAgent(config: Config, world: AgentWorld): Promise<void> {
  const { earlyConnection, early, emit } = world
  const { connection } = earlyConnection
  earlyConnection.report(emit)
  const { inventory, take } = lateInventory(early)
  const slicesOf = resourceSlicesReader(connection, { interval: config.options.interval, elapsed: world.clock.elapsed })
  const host = { ...world.host, inventory }
  const wake = createWake()
  try {
    emit({ type: 'started', server: connection.server })
    await endTogether(world, async inner => {
      watchPulse(config.options, wake, inner.signal)
      const taking = world.firstLabels.settled.then(take)
      taking.then(() => wake.want('observe'))
      await Promise.all([taking, keepNode({ config, world: inner, host, connection, wake, observe: observeWith(slicesOf) })])
    })
  } finally {
    await connection.close()
  }
}

/** The part of the agent that uses the API: watches the Node, checks the identity, and keeps the Node in line with observations. */
export async function keepNode(parts: Omit<Agent, 'seen'>): Promise<void> {
  const agent: Agent = { ...parts, seen: { node: undefined, view: undefined, isOurs: false, isLost: false } }
  const checking = checkIdentity(agent)
    .then(() => agent.world.firstLabels.settled)
    .then(() => keepCheckingGuard(agent))
  await Promise.all([watchOwnNode(agent), checking, runLoop(agent)])
}

/** An error in one part ends the others too. */
async function endTogether(world: AgentWorld, act: (inner: AgentWorld) => Promise<void>): Promise<void> {
  const ending = new AbortController()
  try {
    await act({ ...world, signal: AbortSignal.any([world.signal, ending.signal]) })
  } finally {
    ending.abort()
  }
}

/** Requests an observation when the pulse of the node changes, until the signal is aborted. */
function watchPulse({ 'host-root': root, handover }: Config['options'], wake: Wake, signal: AbortSignal): void {
  if (signal.aborted) return
  const pulse = createPulse(root, [handover])
  let last = pulse()
  const timer = setInterval(() => {
    const now = pulse()
    if (now !== last) wake.want('observe')
    last = now
  }, PULSE)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}
