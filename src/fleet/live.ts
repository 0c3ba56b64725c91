import { once } from 'node:events'
import { ApiError } from '../kubernetes/api-error.ts'
import { watchNodes } from '../kubernetes/list/watch-nodes.ts'
import { backoff } from '../kubernetes/reconnect-window.ts'
import { painter } from '../paint.ts'
import { changesOf } from './changes.ts'
import { type FleetNode, fleetNode } from './fleet-node.ts'
import { fleetPools } from './format/text.ts'
import { type FleetJob, gather, termsFrom, viewOf } from './gather.ts'

/** Time between two drawings (milliseconds). Drawing is timed because heartbeats become stale without any event. */
const REDRAW = 1_000

/** How many changes stay on the screen. */
const SHOWN = 10

/**
 * Shows the fleet until the signal is aborted: on a terminal the pools and the latest changes, redrawn; elsewhere the pools once, and then
 * one line for each change. Throws `ApiError` for failures that do not pass.
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
        // 410: the server no longer knows that version of the list, so list again.
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
  /** Takes all Nodes as they are now. `change` updates this map. */
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
  const printChanges = (before: FleetNode | undefined, after: FleetNode | undefined): void => {
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
    // Overwriting instead of clearing avoids flicker.
    surroundings.print(isTerminal ? `${HOME}${text.replaceAll('\n', `${REST_OF_LINE}\n`)}${REST_OF_SCREEN}` : text)
  }
  return {
    show: found => {
      // After an interrupted watch, print the changes that it missed.
      const isFirst = nodes.size === 0
      const names = isFirst ? [] : new Set([...nodes.keys(), ...found.keys()])
      for (const name of names) printChanges(nodes.get(name), found.get(name))
      nodes = found
      draw()
    },
    change: (node, isDeleted) => {
      printChanges(nodes.get(node.name), isDeleted ? undefined : node)
      if (isDeleted) nodes.delete(node.name)
      else nodes.set(node.name, node)
    },
    draw
  }
}
