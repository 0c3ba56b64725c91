import { setTimeout as wait } from 'node:timers/promises'
import { type Command, CommandError, type Surroundings } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { stoppedBySignals } from '../cli/signals.ts'
import { attempt } from '../facts/attempt.ts'
import { spread } from '../growing-wait.ts'
import { createWork, type Work } from '../helper/work.ts'
import { createHandOver, type Findings } from '../helper/write-handover.ts'
import { HostError } from '../host/host.ts'
import { painter } from '../paint.ts'
import { applyPlan, undoAll } from '../remedies/apply.ts'
import { createRests, type Rests } from '../remedies/pause-after-failure.ts'
import { remedyLines, section } from '../report/terminal-report.ts'
import { VERSION } from '../version.ts'

/** The privileged half: runs trials, applies permitted remedies, and leaves the results for the agent. No token, no port. */
export const helper: Command = async (config, surroundings) => {
  const { options } = config
  if (process.getuid?.() !== 0) throw new CommandError('helper must run as root on the node; without root, use berth report')
  const work = createWork(config, surroundings)
  if (options.undo) return await undo(work, surroundings)
  if (options['dry-run']) return await dryRun(work, config, surroundings)
  return await loop(work, config, surroundings)
}

/** How long to wait for the lock: a cycle without a build takes less (seconds). */
const LOCK_WAIT = 5

async function undo({ host, terms, lock }: Work, { print }: Surroundings): Promise<number> {
  const locked = await lock(LOCK_WAIT)
  if (!locked.ok) throw new CommandError(`nothing was undone: ${locked.why}`)
  if (!locked.value.ok) throw new CommandError(`nothing was undone: ${busy(locked.value.heldBy)}`)
  const deeds = await undoAll(host, terms)
  await locked.value.release()
  for (const { remedy, failure, did } of deeds) print(`${remedy}: ${[failure, did].filter(Boolean).join('; ')}\n`)
  print('A running helper applies its permitted remedies again in its next cycle: remove them from its --permit first.\n')
  return deeds.some(({ failure }) => failure !== undefined) ? 1 : 0
}

const busy = (who: string): string => `another helper is working on this node (${who}); try again when it has finished`

/** Runs the trials, because the plan depends on them and they clean up after themselves. Applies nothing. */
async function dryRun({ observe }: Work, config: Config, { print }: Surroundings): Promise<number> {
  const paint = painter(config.screen)
  const snapshot = await attempt(() => observe(''))
  if (!snapshot.ok) throw new CommandError(snapshot.why)
  print(section('Remedies', remedyLines(snapshot.value, paint), paint))
  return 0
}

async function loop(work: Work, config: Config, { print }: Surroundings): Promise<number> {
  const { log, terms } = work
  const { options } = config
  const { signal } = stoppedBySignals(name => log.event('agent-stopping', `${name}: applied remedies stay in place`))
  const rests = createRests(terms.now)
  const permitted = options.permit.length > 0 ? options.permit.join(', ') : 'nothing'
  log.event('agent-started', `berth ${VERSION}, the helper; permitted: ${permitted}`)
  const handOver = createHandOver(work, config)
  while (!signal.aborted) {
    const found = await lockedCycle(work, rests, options.once ? LOCK_WAIT : 0)
    if (found !== undefined) await handOver(found)
    if (options.once) {
      for (const { remedy, result, because } of found?.outcomes ?? []) print(`${remedy}: ${result}: ${because}\n`)
      return found?.outcomes.some(({ result }) => result === 'failed' || result === 'ineffective') === false ? 0 : 1
    }
    await wait(spread(options.interval, Math.random), undefined, { signal }).catch(() => undefined)
  }
  log.event('agent-stopped', 'ended in good order')
  return 0
}

/** One cycle under the lock of this node. If the lock cannot be created, the cycle still observes and tries, but applies nothing. */
async function lockedCycle(work: Work, rests: Rests, patience: number): Promise<Findings | undefined> {
  const locked = await work.lock(patience)
  if (!locked.ok) return await runCycle(work, rests, locked.why)
  if (!locked.value.ok) {
    work.log.event('helper-waits', busy(locked.value.heldBy))
    return undefined
  }
  try {
    return await runCycle(work, rests, '')
  } finally {
    await locked.value.release()
  }
}

/** Observes, tries, applies, and observes again. Logs why and resolves to `undefined` if the node cannot be worked on. */
async function runCycle(work: Work, rests: Rests, cannotAct: string): Promise<Findings | undefined> {
  const { host, log, terms } = work
  const observe = () => work.observe(cannotAct)
  try {
    const { outcomes, after: snapshot } = await applyPlan(host, await observe(), { ...terms, observe, rest: rests.rest })
    for (const { remedy, result, because, tail } of rests.record(outcomes)) {
      const fields = tail === '' ? {} : { tail }
      log.event(result === 'applied' ? 'remedy-applied' : 'remedy-failed', `${remedy}: ${because}`, fields)
    }
    return { outcomes: rests.report(outcomes), snapshot }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    log.event('remedy-failed', error.message)
    return undefined
  }
}
