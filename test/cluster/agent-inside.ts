import { setTimeout as sleep } from 'node:timers/promises'
import { runAgent } from '../../src/agent/agent.ts'
import { openEarly } from '../../src/agent/early-connection.ts'
import { createFirstLabels } from '../../src/agent/first-labels.ts'
import { createTelemetry } from '../../src/agent/telemetry.ts'
import { parseConfig } from '../../src/cli/config.ts'
import { openHost } from '../../src/cli/open-host.ts'
import type { Pace } from '../../src/kubernetes/reconnect-window.ts'
import { createLog } from '../../src/log.ts'
import { createMetrics } from '../../src/web/metrics.ts'

export interface AgentInside {
  readonly looks: () => number
  /** Milliseconds, of the date and of the time that only grows. */
  readonly jump: (by: { readonly date?: number; readonly elapsed?: number }) => void
  /** Why it ended, although nobody asked it to; `undefined` while it lives. */
  readonly ended: () => unknown
  /** Throws what it threw. */
  readonly end: () => Promise<void>
}

const pause: Pace['sleep'] = (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined)

/**
 * The agent within this process, since no other way leads to its clock. It looks every second. A heartbeat that is late is spread over
 * 45 s: without another `random` it draws the first of them.
 */
export function agentInside(name: string, kubeconfig: string, root: string, random: () => number = () => 0): AgentInside {
  const offset = { date: 0, elapsed: 0 }
  const clock = { elapsed: () => performance.now() + offset.elapsed, now: () => new Date(Date.now() + offset.date) }
  const args = ['run', '--kubeconfig', kubeconfig, '--node-name', name, '--host-root', root, '--interval', '1s']
  const config = parseConfig(args, {}, {})
  const log = createLog({ level: 'error', format: 'json', write: line => process.stderr.write(line), now: clock.now })
  const terms = { log, metrics: createMetrics({ version: 'test' }), node: name, prefix: 'berth.dev', version: 'test', clock }
  const { emit } = createTelemetry({ ...terms, patience: 60_000 })
  let looks = 0
  let ended: unknown
  const counted: typeof emit = event => {
    if (event.type === 'observed') looks += 1
    emit(event)
  }
  const ending = new AbortController()
  const running = Promise.all([openHost(root), openEarly(config)]).then(([host, earlyConnection]) =>
    runAgent(config, {
      ...{ clock, host, early: host, earlyConnection, emit: counted, signal: ending.signal, random, sleep: pause },
      firstLabels: createFirstLabels(pause, ending.signal)
    })
  )
  running.then(
    () => {
      ended = 'in good order'
    },
    (error: unknown) => {
      ended = error
    }
  )
  return {
    looks: () => looks,
    jump: ({ date = 0, elapsed = 0 }) => {
      offset.date += date
      offset.elapsed += elapsed
    },
    ended: () => ended,
    end: () => {
      ending.abort()
      return running
    }
  }
}
