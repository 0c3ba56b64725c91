import { keepNode } from '../../../src/agent/agent.ts'
import { createFirstLabels } from '../../../src/agent/first-labels.ts'
import { createWake, type Timer } from '../../../src/agent/wake.ts'
import { parseConfig } from '../../../src/cli/config.ts'
import type { Snapshot } from '../../../src/cycle/snapshot.ts'
import { recordedHost } from '../../../src/host/recorded.ts'
import type { Connection } from '../../../src/kubernetes/connection.ts'
import { identify } from '../../../src/kubernetes/identity.ts'
import type { Time } from './time.ts'

const CONFIG = parseConfig(['run'], {}, {})
const HOST = recordedHost({ schema: 1, paths: {} })
const LOOK = 50 // milliseconds that a look takes
const nothing = () => undefined

export interface Living {
  readonly name: string
  readonly connection: Connection
  readonly snapshot: Snapshot
  readonly time: Time
  readonly random: () => number
  readonly signal: AbortSignal
}

/** The agent's own code from its first request on, in simulated time; only the looks at a node are replaced, by what one of them saw. */
export function live({ name, connection, snapshot, time, random, signal }: Living): Promise<void> {
  const identity = identify(connection)
  identity.catch(nothing) // the agent hears of it
  return keepNode({
    config: { ...CONFIG, options: { ...CONFIG.options, 'node-name': name } },
    world: {
      ...{ clock: time, signal, emit: nothing, host: HOST, early: HOST, random, sleep: time.sleep },
      earlyConnection: { connection, identity, report: nothing },
      firstLabels: createFirstLabels(time.sleep, signal)
    },
    ...{ host: HOST, connection, wake: createWake(simulatedTimer(time)) },
    observe: async () => {
      await time.sleep(LOOK)
      return snapshot
    }
  })
}

/** A cancelled timer still calls back: a wait that has ended ignores it. */
const simulatedTimer =
  (time: Time): Timer =>
  (milliseconds, callback) => {
    if (Number.isFinite(milliseconds)) time.at(time.elapsed() + milliseconds, callback)
    return nothing
  }
