import { hostname } from 'node:os'
import process from 'node:process'
import { type Surroundings, termsOf } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { cycle } from '../cycle/cycle.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import { attempt } from '../facts/attempt.ts'
import type { Attempt } from '../facts/fact.ts'
import type { Proofs } from '../facts/proofs.ts'
import { localWriter } from '../host/local-writer.ts'
import type { Locked } from '../host/lock.ts'
import type { HostWriter } from '../host/writer.ts'
import { createLog, type Log, lineWriter } from '../log.ts'
import type { RemedyTerms } from '../remedies/all.ts'
import { bootOf } from '../remedies/boot.ts'
import { inspect } from '../remedies/inspect.ts'
import { type Journal, readJournal } from '../remedies/journal.ts'
import { askSysboxVersion } from '../trials/sysbox-version.ts'
import { createTrials, type Trials } from '../trials/trials.ts'

/** The directory for the files of builds, as a path of this process. */
const SCRATCH = '/tmp/berth-scratch'

/** A path of the node, so that helpers in all pods share one lock. */
const LOCK = '/var/lib/berth/lock'

/** What the helper works with. */
export interface Work {
  readonly host: HostWriter
  readonly log: Log
  readonly terms: RemedyTerms
  /** Observes and plans. `cannotAct`: why no remedy may be applied in this turn, empty if they may. */
  readonly observe: (cannotAct: string) => Promise<Snapshot>
  readonly made: Trials['made']
  readonly elapsed: () => number
  /** Takes the lock of this node; waits for it at most so many seconds. */
  readonly lock: (waitSeconds: number) => Promise<Attempt<Locked>>
}

export function createWork(config: Config, { clock }: Surroundings): Work {
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
  // The helper's observation is not shown to people, and an inventory would start a dozen programs.
  const observed = { ...host, inventory: async () => undefined }
  const observe = async (cannotAct: string) => {
    const journal = await attempt(() => readJournal(host))
    const proved = await trials.prove()
    const proofs = journal.ok ? withBroken(proved, journal.value, await bootOf(host)) : proved
    const readings = { apparmorUserns: undefined, profiles: undefined, sysboxVersion: await askSysboxVersion(host) }
    const planning = {
      ...termsOf(config),
      ...(await inspect(host, terms)),
      // Without a journal nothing could be undone.
      cannotAct: journal.ok ? cannotAct : journal.why
    }
    return await cycle({ host: observed, node: undefined, podSecurity: undefined, proofs, readings }, planning, clock)
  }
  const who = () => `pid ${process.pid} on ${hostname()}, since ${clock.now().toISOString()}`
  const lock = (waitSeconds: number) => attempt(() => host.lock(LOCK, { who: who(), waitSeconds }))
  return { host, log, terms, observe, made: trials.made, elapsed: clock.elapsed, lock }
}

/** A module that failed its trial is unloaded and cannot be tested again, so the journal's result counts in this boot. */
function withBroken(proofs: Proofs, { broken }: Journal, boot: string): Proofs {
  if (broken === undefined || broken.boot !== boot || proofs['shiftfs-on-disk'].outcome !== 'untried') return proofs
  return { ...proofs, 'shiftfs-on-disk': { outcome: 'fails', because: broken.because } }
}
