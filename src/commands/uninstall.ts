import { type Command, CommandError, type Surroundings } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { WORLD, type World, withConnection } from '../cli/connected.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { pagesOfNodes } from '../kubernetes/list/nodes.ts'
import type { V1Node } from '../kubernetes/models.ts'
import { readNode } from '../kubernetes/own-node/read.ts'
import { withRetries } from '../kubernetes/retry.ts'
import {
  counted,
  EMPTY,
  heartbeatWarning,
  nodeMessage,
  runningWarning,
  summary,
  type Tally,
  taintNote
} from './uninstall/messages.ts'
import { type RunningAgent, runningAgent } from './uninstall/running-agent.ts'
import { strip } from './uninstall/strip.ts'

/** Time, randomness and network, which tests replace. */
export interface UninstallWorld extends World {
  /** When aborted, no further Node is started. */
  readonly signal: AbortSignal
  /** Nodes a page. */
  readonly limit: number
}

/** A Node is about 20 kB, so a page is about 2 MB. */
const LIMIT = 100

/** Nodes processed at the same time. */
const AT_ONCE = 4

/** Removes everything that the agent wrote, Node by Node. */
export const uninstall: Command = async (config, surroundings) => {
  const stop = new AbortController()
  // The Nodes that were started are finished; a second signal ends the process at once.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  return await uninstallFrom(config, surroundings, { ...WORLD, signal: stop.signal, limit: LIMIT })
}

export async function uninstallFrom(config: Config, surroundings: Surroundings, world: UninstallWorld): Promise<number> {
  const { options } = config
  if (options['node-name'] === '' && !options['all-nodes']) {
    throw new CommandError(
      'uninstall needs a Node: expected --node-name NAME (or NODE_NAME), or --all-nodes for the whole cluster',
      { status: 2 }
    )
  }
  return await withConnection(config, world, async connection => {
    const agent = await runningAgent(connection, options['all-nodes'] ? '' : options['node-name'], world)
    if (agent.state === 'runs') surroundings.print(`${runningWarning(agent.pod, config.screen.columns)}\n`)
    const progress: Progress = { tally: EMPTY, seen: new Set(), hasWarned: agent.state === 'runs' }
    const job = { config, surroundings, world, connection, agent, progress }
    try {
      for await (const page of pages(job)) {
        if (world.signal.aborted) break
        await stripPage(page, job)
      }
    } finally {
      // Print what was done, even if the API fails halfway.
      printEnd(job)
    }
    return progress.tally.failed > 0 || world.signal.aborted ? 1 : 0
  })
}

interface Job {
  readonly config: Config
  readonly surroundings: Surroundings
  readonly world: UninstallWorld
  readonly connection: Connection
  readonly agent: RunningAgent
  readonly progress: Progress
}

interface Progress {
  tally: Tally
  /** Names of the Nodes that are done: a list that had to start again returns Nodes twice. */
  readonly seen: Set<string>
  hasWarned: boolean
}

async function* pages({ config, connection, world }: Job): AsyncGenerator<readonly V1Node[]> {
  const { 'all-nodes': isAll, 'node-name': name } = config.options
  if (isAll) yield* pagesOfNodes(connection, { limit: world.limit, waiting: world })
  else yield [await withRetries(() => readNode(connection, name), world)]
}

async function stripPage(page: readonly V1Node[], job: Job): Promise<void> {
  const { config, surroundings, world, connection, progress } = job
  const { print } = surroundings
  const { 'label-prefix': prefix, 'dry-run': isDryRun, 'startup-taint': taint } = config.options
  const { columns } = config.screen
  warnByHeartbeat(page, job)
  const rest = page.filter(({ metadata }) => !progress.seen.has(metadata?.name ?? ''))
  const worker = async (): Promise<void> => {
    for (let node = rest.shift(); node !== undefined && !world.signal.aborted; node = rest.shift()) {
      const outcome = await strip(node, { connection, prefix, isDryRun, waiting: world })
      progress.seen.add(outcome.name)
      progress.tally = counted(progress.tally, outcome)
      if (node.spec?.taints?.some(({ key }) => key === taint)) {
        progress.tally = { ...progress.tally, tainted: [...progress.tally.tainted, outcome.name] }
      }
      print(`${nodeMessage(outcome, { isDryRun, columns })}\n`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Warns once, and only if the Pods could not be listed. */
function warnByHeartbeat(page: readonly V1Node[], { config, surroundings, agent, progress }: Job): void {
  if (agent.state !== 'unknown' || progress.hasWarned) return
  const terms = { why: agent.why, now: surroundings.clock.now(), columns: config.screen.columns }
  const warning = heartbeatWarning(page, terms)
  if (warning === undefined) return
  progress.hasWarned = true
  surroundings.print(`${warning}\n`)
}

function printEnd({ config, surroundings, world, progress }: Job): void {
  const { print } = surroundings
  const { 'startup-taint': taint, 'all-nodes': isAll, 'dry-run': isDryRun } = config.options
  const { columns } = config.screen
  if (progress.tally.tainted.length > 0) print(`${taintNote(progress.tally, taint, columns)}\n`)
  if ((isAll && progress.tally.done > 0) || world.signal.aborted) print(`${summary(progress.tally, { isDryRun, columns })}\n`)
  if (world.signal.aborted) print('Stopped by a signal: the other Nodes are unchanged. Run the command again to continue.\n')
}
