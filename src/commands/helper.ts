import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { cycle } from '../cycle/cycle.ts'
import { type Handover, handoverText } from '../cycle/handover.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import { attempt } from '../facts/attempt.ts'
import { readUptime } from '../facts/proof-binding.ts'
import { type Proofs, untried } from '../facts/proofs.ts'
import { HostError } from '../host/host.ts'
import { localWriter } from '../host/local-writer.ts'
import type { HostWriter } from '../host/writer.ts'
import { createLog, type Log, lineWriter } from '../log.ts'
import { painter } from '../publish/paint.ts'
import { remedyLines, section } from '../publish/table.ts'
import { applyPlan, type RemedyTerms, undoAll } from '../remedies/apply.ts'
import { type Journal, readJournal } from '../remedies/journal.ts'
import { unstoredLimits } from '../remedies/limit.ts'
import { createRests, type Rests } from '../remedies/rest.ts'
import { bootOf } from '../remedies/shiftfs-claim.ts'
import { askSysboxVersion } from '../trials/sysbox-version.ts'
import { createTrials, type Trials } from '../trials/trials.ts'
import { VERSION } from '../version.ts'
import { type Command, CommandError, type Surroundings, termsOf } from './command.ts'
import { stoppedBySignals } from './signals.ts'

/** Where a build may put its files, of our own view. */
const SCRATCH = '/tmp/berth-scratch'

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

interface Work {
  readonly host: HostWriter
  readonly log: Log
  readonly terms: RemedyTerms
  readonly look: () => Promise<Snapshot>
  readonly made: Trials['made']
  readonly elapsed: () => number
}

function createWork(config: Config, { clock }: Surroundings): Work {
  const { options } = config
  const host = localWriter(options['host-root'])
  const log = createLog({ level: options['log-level'], format: options['log-format'], write: lineWriter(1), now: clock.now })
  const trials = createTrials(host, clock.elapsed, options['kubelet-root'])
  const terms: RemedyTerms = {
    source: options['shiftfs-source'],
    scratch: SCRATCH,
    persist: options.persist,
    maxUserNamespaces: options['max-user-namespaces'],
    now: clock.now,
    prove: trials.prove
  }
  // An inventory is for people, and starts a dozen programs; nobody sees what this process looked at.
  const eyes = { ...host, inventory: async () => undefined }
  const look = async () => {
    const proofs = withBroken(await trials.prove(), await readJournal(host), await bootOf(host))
    const readings = { apparmorUserns: undefined, profiles: undefined, sysboxVersion: await askSysboxVersion(host) }
    const unstored = await attempt(() => unstoredLimits(host))
    const planning = { ...termsOf(config), unstored: unstored.ok ? unstored.value : [] }
    return await cycle({ host: eyes, node: undefined, podSecurity: undefined, proofs, readings }, planning, clock)
  }
  return { host, log, terms, look, made: trials.made, elapsed: clock.elapsed }
}

/** A module that failed its trial was unloaded, so that it cannot be tried again; under this boot it stays broken. */
function withBroken(proofs: Proofs, { broken }: Journal, boot: string): Proofs {
  if (broken === undefined || broken.boot !== boot || proofs['shiftfs-on-disk'].outcome !== 'untried') return proofs
  return { ...proofs, 'shiftfs-on-disk': { outcome: 'fails', because: broken.because } }
}

async function undo({ host, terms }: Work, { print }: Surroundings): Promise<number> {
  const deeds = await undoAll(host, terms)
  for (const { remedy, failure, did } of deeds) print(`${remedy}: ${failure ?? did}\n`)
  return deeds.some(({ failure }) => failure !== undefined) ? 1 : 0
}

/** The trials are made, since the plan rests on them and they remove what they make; nothing else is. */
async function dryRun({ look }: Work, config: Config, { print }: Surroundings): Promise<number> {
  const paint = painter(config.screen)
  print(section('Remedies', remedyLines(await look(), paint), paint))
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
    const news = await turn(work, rests)
    if (news !== undefined) await handOver(news)
    if (options.once) {
      for (const { remedy, result, because } of news?.outcomes ?? []) print(`${remedy}: ${result}: ${because}\n`)
      return news?.outcomes.some(({ result }) => result === 'failed' || result === 'ineffective') === false ? 0 : 1
    }
    await wait(options.interval * (0.9 + Math.random() * 0.2), undefined, { signal }).catch(() => undefined)
  }
  log.event('agent-stopped', 'ended in good order')
  return 0
}

interface News {
  readonly outcomes: Handover['outcomes']
  readonly snapshot: Snapshot
}

/** One turn: look, try, mend, look again. `undefined` when the node could not be worked on, which is told. */
async function turn({ host, log, terms, look }: Work, rests: Rests): Promise<News | undefined> {
  try {
    const { outcomes, after: snapshot } = await applyPlan(host, await look(), { ...terms, look, rest: rests.rest })
    for (const { remedy, result, because, tail } of rests.heard(outcomes)) {
      const fields = tail === '' ? {} : { tail }
      log.event(result === 'applied' ? 'remedy-applied' : 'remedy-failed', `${remedy}: ${because}`, fields)
    }
    return { outcomes: rests.news(outcomes), snapshot }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    log.event('remedy-failed', error.message)
    return undefined
  }
}

/** The age of what it tells counts for the agent, so it is written anew although nothing changed (milliseconds). */
const AN_HOUR = 3_600_000

/** Written when it says something else than the last one; a full or missing volume is told, and tried again at the next turn. */
function createHandOver({ host, log, made, elapsed }: Work, config: Config): (news: News) => Promise<void> {
  const { handover: path, 'node-name': node } = config.options
  let written = { text: '', at: 0 }
  return async ({ outcomes, snapshot }) => {
    const body = { ...({ schema: 1, version: VERSION, node } as const), ...foundOf(snapshot), made: made() ?? null, outcomes }
    const text = JSON.stringify(body)
    const now = elapsed()
    if (text === written.text && now - written.at < AN_HOUR) return
    try {
      const uptime = await attempt(() => readUptime(host))
      const whole = { ...body, at: snapshot.at, uptime: uptime.ok ? uptime.value : null }
      await localWriter('/').write(path, handoverText(whole), 0o644)
      written = { text, at: now }
    } catch (error) {
      log.event('write-failed', `what was found could not be handed over: ${(error as Error).message}`, { key: path })
    }
  }
}

function foundOf({ facts }: Snapshot): Pick<Handover, 'boot' | 'release' | 'proofs' | 'readings'> {
  const { 'boot-id': boot, 'apparmor-userns': userns, kernel, proofs, apparmor, sysbox } = facts
  const profiles = apparmor.known && apparmor.value.profiles.ok ? apparmor.value.profiles.value : undefined
  return {
    boot: boot.known ? boot.value : '',
    release: kernel.known ? kernel.value.release : '',
    proofs: proofs.known ? proofs.value : untried(proofs.why),
    readings: {
      apparmorUserns: userns.known ? userns.value : undefined,
      profiles: profiles && Object.fromEntries(profiles),
      sysboxVersion: versionOf(sysbox)
    }
  }
}

const versionOf = (fact: Snapshot['facts']['sysbox']): string | undefined =>
  fact.known && fact.value.version.ok && fact.value.version.value !== '' ? fact.value.version.value : undefined
