import { once } from 'node:events'
import process from 'node:process'
import { setTimeout as wait, setImmediate as yieldToEvents } from 'node:timers/promises'
import { CommandError, type Surroundings } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { observeEarly, openHostOrNone } from '../cli/open-host.ts'
import { stoppedBySignals } from '../cli/signals.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import type { Log } from '../log.ts'
import { VERSION } from '../version.ts'
import type { Metrics } from '../web/metrics.ts'
import { openEarly } from './early-connection.ts'
import { createFirstLabels } from './first-labels.ts'
import type { Telemetry } from './telemetry.ts'

/** How long a stopping agent waits for a write that is under way (milliseconds). */
const LAST_WRITE = 1_500

/** The daemon: the agent with its log, its metrics, its pages and its signals. */
export async function daemon(config: Config, surroundings: Surroundings): Promise<number> {
  const { clock } = surroundings
  const { options } = config
  const node = options['node-name']
  const connecting = openEarly(config)
  connecting.catch(() => undefined) // awaited below, when there is a log for the error
  // The first observation runs during the handshake with the API and while we load the rest.
  const { host, missing, close } = await openHostOrNone(options['host-root'], surroundings)
  const early = observeEarly(host, clock)
  const { createLog, lineWriter, createMetrics, createTelemetry, runAgent } = await loadTheRest()
  const log = createLog({ level: options['log-level'], format: options['log-format'], write: lineWriter(1), now: clock.now })
  if (missing !== undefined) log.event('host-missing', missing)
  const metrics = createMetrics({ version: VERSION })
  const telemetry = createTelemetry({
    log,
    metrics,
    node,
    prefix: options['label-prefix'],
    version: VERSION,
    clock,
    patience: 2 * options.interval + 60_000
  })
  const stopping = stoppedBySignals(name => log.event('agent-stopping', `${name}: the labels stay as they are`))
  const { signal } = stopping
  let level = options['log-level']
  process.on('SIGUSR2', () => {
    level = level === 'debug' ? (options['log-level'] === 'debug' ? 'info' : options['log-level']) : 'debug'
    log.setLevel(level)
    log.event('log-level-changed', `the log level is ${level} now`)
  })
  try {
    const earlyConnection = await connecting
    const { emit } = telemetry
    const firstLabels = createFirstLabels(sleep, signal)
    const world = { host, early, earlyConnection, emit, clock, signal, random: Math.random, sleep, firstLabels }
    const agent = runAgent(config, world)
    const serving = firstLabels.settled.then(() => serve({ config, log, metrics, telemetry, signal }))
    await Promise.all([Promise.race([agent, lastWrite(signal)]), serving])
  } catch (error) {
    log.event('agent-failed', (error as Error).message, { error })
    throw error instanceof ApiError ? new CommandError(error.message, { status: 2, cause: error }) : error
  } finally {
    stopping.abort()
    close()
  }
  log.event('agent-stopped', 'ended in good order')
  return 0
}

/** Loads one module at a time and yields to the event loop in between, so that the handshake with the API continues. */
async function loadTheRest() {
  const agent = await import('./agent.ts')
  await yieldToEvents()
  const log = await import('../log.ts')
  await yieldToEvents()
  const metrics = await import('../web/metrics.ts')
  await yieldToEvents()
  return { ...agent, ...log, ...metrics, ...(await import('./telemetry.ts')) }
}

interface Serving {
  readonly config: Config
  readonly log: Log
  readonly metrics: Metrics
  readonly telemetry: Telemetry
  readonly signal: AbortSignal
}

/** Serves until the signal is aborted. Throws `CommandError` when it cannot listen on the address. */
async function serve({ config, log, metrics, telemetry, signal }: Serving): Promise<void> {
  const { listen } = config.options
  if (signal.aborted) return
  const { startHttp } = await import('../web/server.ts')
  const sources = {
    metrics,
    health: telemetry.health,
    ready: telemetry.ready,
    status: telemetry.status,
    failed: (error: unknown) => log.event('http-failed', (error as Error).message, { error })
  }
  const http = await startHttp({ listen, sources }).catch((error: Error) => {
    throw new CommandError(`--listen is "${listen}": ${error.message}`, { cause: error })
  })
  log.event('http-listening', `metrics, probes and the status page at ${http.address}`)
  if (!signal.aborted) await once(signal, 'abort')
  await http.close()
}

/** Resolves after the time for the last write. Nothing is lost if it does not complete: each write leaves the labels consistent. */
const lastWrite = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => signal.addEventListener('abort', () => setTimeout(resolve, LAST_WRITE), { once: true }))

const sleep = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
  await wait(milliseconds, undefined, { signal }).catch(() => undefined)
}
