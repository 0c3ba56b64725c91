import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { createLog, lineWriter } from '../log.ts'
import { startHttp } from '../publish/http.ts'
import { createMetrics } from '../publish/metrics.ts'
import { VERSION } from '../version.ts'
import { runAgent } from './agent.ts'
import { CommandError, type Surroundings } from './command.ts'
import { createDiary } from './diary.ts'

/** A process that was asked to end has so long, with its last write (milliseconds). */
const LAST_WORDS = 1_500

/** The daemon: the agent with its log, its metrics, its pages and its signals. */
export async function daemon(config: Config, { clock }: Surroundings): Promise<number> {
  const { options } = config
  const node = options['node-name']
  const log = createLog({ level: options['log-level'], format: options['log-format'], write: lineWriter(1), now: clock.now })
  const metrics = createMetrics({ version: VERSION })
  const diary = createDiary({
    log,
    metrics,
    node,
    prefix: options['label-prefix'],
    version: VERSION,
    clock,
    patience: 2 * options.interval + 60_000
  })
  const http = await startHttp({
    listen: options.listen,
    sources: {
      metrics,
      health: diary.health,
      ready: diary.ready,
      status: diary.status,
      failed: error => log.event('http-failed', (error as Error).message, { error })
    }
  }).catch((error: Error) => {
    throw new CommandError(`--listen is "${options.listen}": ${error.message}`, { cause: error })
  })
  log.event('http-listening', `metrics, probes and the status page at ${http.address}`)
  const { signal } = stoppedBySignals(name => log.event('agent-stopping', `${name}: the labels stay as they are`))
  let level = options['log-level']
  process.on('SIGUSR2', () => {
    level = level === 'debug' ? (options['log-level'] === 'debug' ? 'info' : options['log-level']) : 'debug'
    log.setLevel(level)
    log.event('log-level-changed', `the log level is ${level} now`)
  })
  try {
    const agent = runAgent(config, { clock, signal, diary, random: Math.random, sleep })
    await Promise.race([agent, lastWords(signal)])
  } catch (error) {
    log.event('agent-failed', (error as Error).message, { error })
    throw error
  } finally {
    await http.close()
  }
  log.event('agent-stopped', 'ended in good order')
  return 0
}

/** A write under way is waited for, and not longer: the labels are whole at any moment. */
const lastWords = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => signal.addEventListener('abort', () => setTimeout(resolve, LAST_WORDS), { once: true }))

const sleep = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
  await wait(milliseconds, undefined, { signal }).catch(() => undefined)
}

/** As process 1 of a container, Node ends by no signal that it does not handle. */
function stoppedBySignals(tell: (signal: string) => void): AbortController {
  const controller = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      tell(name)
      controller.abort()
    })
  }
  return controller
}
