import { setTimeout as wait } from 'node:timers/promises'
import { type Command, CommandError, type Surroundings } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { stoppedBySignals } from '../cli/signals.ts'
import { attempt } from '../facts/attempt.ts'
import { createHandOver, type Findings } from '../helper/findings.ts'
import { createWork, type Work } from '../helper/work.ts'
import { HostError } from '../host/host.ts'
import { painter } from '../paint.ts'
import { applyPlan, undoAll } from '../remedies/apply.ts'
import { createRests, type Rests } from '../remedies/rest.ts'
import { remedyLines, section } from '../report/table.ts'
import { VERSION } from '../version.ts'
import { spread } from '../waits.ts'

/** The privileged half: tries, mends what it is permitted to mend, and leaves what it found for the agent. No token, no port. */
export const helper: Command = async (config, surroundings) => {
  const { options } = config
  if (process.getuid?.() !== 0)
    throw new CommandError('helper needs root on the node; what can be known without it: berth report')
  const work = createWork(config, surroundings)
  if (options.undo) return await undo(work, surroundings)
  if (options['dry-run']) return await dryRun(work, config, surroundings)
  return await loop(work, config, surroundings)
}

/** A turn of a helper that has nothing to build takes less (seconds). */
const A_TURN = 5

async function undo({ host, terms, lock }: Work, { print }: Surroundings): Promise<number> {
  const locked = await lock(A_TURN)
  if (!locked.ok) throw new CommandError(`nothing is undone: ${locked.why}`)
  if (!locked.value.ok) throw new CommandError(`nothing is undone: ${busy(locked.value.heldBy)}`)
  const deeds = await undoAll(host, terms)
  await locked.value.release()
  for (const { remedy, failure, did } of deeds) print(`${remedy}: ${[failure, did].filter(Boolean).join('; ')}\n`)
  print('A helper that runs here with a permit does it again at its next turn: take the permit (--permit) from it first.\n')
  return deeds.some(({ failure }) => failure !== undefined) ? 1 : 0
}

const busy = (who: string): string => `another helper works on this node (${who}); try again when it has ended`

/** The trials are made, since the plan rests on them and they remove what they make; nothing else is. */
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
  const { signal } = stoppedBySignals(name => log.event('agent-stopping', `${name}: what was mended stays as it is`))
  const rests = createRests(terms.now)
  const permitted = options.permit.length > 0 ? options.permit.join(', ') : 'nothing'
  log.event('agent-started', `berth ${VERSION}, the helper; permitted: ${permitted}`)
  const handOver = createHandOver(work, config)
  while (!signal.aborted) {
    const found = await lockedTurn(work, rests, options.once ? A_TURN : 0)
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

/** One turn under the lock of this node; without one that can be had nothing is mended, and all the same the node is tried. */
async function lockedTurn(work: Work, rests: Rests, patience: number): Promise<Findings | undefined> {
  const locked = await work.lock(patience)
  if (!locked.ok) return await turn(work, rests, locked.why)
  if (!locked.value.ok) {
    work.log.event('helper-waits', busy(locked.value.heldBy))
    return undefined
  }
  try {
    return await turn(work, rests, '')
  } finally {
    await locked.value.release()
  }
}

/** One turn: look, try, mend, look again. `undefined` when the node could not be worked on, which is told. */
async function turn(work: Work, rests: Rests, cannotAct: string): Promise<Findings | undefined> {
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
