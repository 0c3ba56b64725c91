import { once } from 'node:events'
import { ApiError } from '../kubernetes/api-error.ts'
import { backoff } from '../kubernetes/backoff.ts'
import { watchNodes } from '../kubernetes/list/watch-nodes.ts'
import { painter } from '../paint.ts'
import { changesOf } from './changes.ts'
import { type FleetNode, fleetNode } from './fleet-node.ts'
import { fleetPools } from './format/text.ts'
import { type FleetJob, gather, termsFrom, viewOf } from './gather.ts'

/** Between two drawings, however much happens (milliseconds); heartbeats grow old without any event. */
const REDRAW = 1_000

/** Changes that stay on the screen. */
const SHOWN = 10

/**
 * Shows the fleet until the signal is aborted: on a terminal the pools and what changed last, drawn anew; elsewhere the pools once, and
 * then a line for every change. Throws `ApiError` for what does not pass.
 */
export async function live(job: FleetJob): Promise<void> {
  const { config, world, connection } = job
  const terms = termsFrom(config)
  const screen = screenOf(job)
  const timer = setInterval(screen.draw, REDRAW)
  try {
    for (let failures = 0; !world.signal.aborted; ) {
      try {
        const { nodes, version } = await gather(job, terms)
        screen.show(nodes)
        await watchNodes(connection, version, {
          ...world,
          onNode: (node, isDeleted) => {
            failures = 0
            screen.change(fleetNode(node, terms), isDeleted)
          }
        })
      } catch (error) {
        if (world.signal.aborted) return
        // The server has forgotten that version of the list: what it has now is as good.
        if (!(error instanceof ApiError) || !(error.transient || error.status === 410)) throw error
        failures++
        await Promise.race([world.sleep(backoff(failures, world.random, error.retryAfter * 1000)), aborted(world.signal)])
      }
    }
  } finally {
    clearInterval(timer)
  }
}

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}

interface Screen {
  /** All Nodes as they are now; they are kept, and what changes is written there. */
  readonly show: (nodes: Map<string, FleetNode>) => void
  readonly change: (node: FleetNode, isDeleted: boolean) => void
  readonly draw: () => void
}

const [HOME, REST_OF_SCREEN, REST_OF_LINE] = ['\x1b[H', '\x1b[J', '\x1b[K']

function screenOf(job: FleetJob): Screen {
  const { config, surroundings } = job
  const { isTerminal } = config.screen
  const paint = painter(config.screen)
  let [nodes, changes, drawn] = [new Map<string, FleetNode>(), [] as readonly string[], '']
  const tell = (before: FleetNode | undefined, after: FleetNode | undefined): void => {
    const { capabilities } = viewOf(after === undefined ? [] : [after], job)
    const lines = changesOf(before, after, capabilities).map(
      line => `${surroundings.clock.now().toISOString().slice(11, 19)} ${line}`
    )
    changes = [...changes, ...lines].slice(-SHOWN)
    if (!isTerminal) for (const line of lines) surroundings.print(`${line}\n`)
  }
  const draw = (): void => {
    if (!isTerminal && drawn !== '') return
    const text = [...fleetPools(viewOf(nodes.values(), job), paint), ...changes.map(line => `${line}\n`)].join('')
    if (text === drawn || nodes.size === 0) return
    drawn = text
    // Written over what is there, so that nothing flickers.
    surroundings.print(isTerminal ? `${HOME}${text.replaceAll('\n', `${REST_OF_LINE}\n`)}${REST_OF_SCREEN}` : text)
  }
  return {
    show: found => {
      // After a break it is told what the watch did not.
      const isFirst = nodes.size === 0
      const names = isFirst ? [] : new Set([...nodes.keys(), ...found.keys()])
      for (const name of names) tell(nodes.get(name), found.get(name))
      nodes = found
      draw()
    },
    change: (node, isDeleted) => {
      tell(nodes.get(node.name), isDeleted ? undefined : node)
      if (isDeleted) nodes.delete(node.name)
      else nodes.set(node.name, node)
    },
    draw
  }
}
