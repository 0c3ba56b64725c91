import { type Command, CommandError, type Surroundings } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { WORLD, type World, withConnection } from '../cli/connected.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { pagesOfNodes } from '../kubernetes/list/nodes.ts'
import type { V1Node } from '../kubernetes/models.ts'
import { readNode } from '../kubernetes/own-node/read.ts'
import { withRetries } from '../kubernetes/retry.ts'
import { type RunningAgent, runningAgent } from './uninstall/running-agent.ts'
import { counted, EMPTY, heartbeatWarning, runningWarning, summary, type Tally, taintNote, told } from './uninstall/story.ts'
import { strip } from './uninstall/strip.ts'

/** What a test gives in place of the world. */
export interface UninstallWorld extends World {
  /** Aborted when no more Nodes shall be begun. */
  readonly signal: AbortSignal
  /** Nodes a page. */
  readonly limit: number
}

/** A Node is about 20 kB, so a page is about 2 MB. */
const LIMIT = 100

/** Nodes worked on at the same time. */
const AT_ONCE = 4

/** Removes what the agent wrote, Node by Node. */
export const uninstall: Command = async (config, surroundings) => {
  const stop = new AbortController()
  // What has begun is finished and told; a second signal ends us at once.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  return await uninstallFrom(config, surroundings, { ...WORLD, signal: stop.signal, limit: LIMIT })
}

export async function uninstallFrom(config: Config, surroundings: Surroundings, world: UninstallWorld): Promise<number> {
  const { options } = config
  if (options['node-name'] === '' && !options['all-nodes']) {
    throw new CommandError(
      'uninstall needs to know from which Node; expected --node-name NAME (or NODE_NAME), or --all-nodes for the whole cluster',
      { status: 2 }
    )
  }
  return await withConnection(config, world, async connection => {
    const agent = await runningAgent(connection, options['all-nodes'] ? '' : options['node-name'], world)
    if (agent.state === 'runs') surroundings.print(`${runningWarning(agent.pod, config.screen.columns)}\n`)
    const book: Book = { tally: EMPTY, seen: new Set(), hasWarned: agent.state === 'runs' }
    const job = { config, surroundings, world, connection, agent, book }
    try {
      for await (const page of pages(job)) {
        if (world.signal.aborted) break
        await stripPage(page, job)
      }
    } finally {
      // What was done is told, also where the API goes away in the middle.
      tellEnd(job)
    }
    return book.tally.failed > 0 || world.signal.aborted ? 1 : 0
  })
}

interface Job {
  readonly config: Config
  readonly surroundings: Surroundings
  readonly world: UninstallWorld
  readonly connection: Connection
  readonly agent: RunningAgent
  readonly book: Book
}

interface Book {
  tally: Tally
  /** A list that had to begin again brings Nodes twice. */
  readonly seen: Set<string>
  hasWarned: boolean
}

async function* pages({ config, connection, world }: Job): AsyncGenerator<readonly V1Node[]> {
  const { 'all-nodes': isAll, 'node-name': name } = config.options
  if (isAll) yield* pagesOfNodes(connection, { limit: world.limit, waiting: world })
  else yield [await withRetries(() => readNode(connection, name), world)]
}

async function stripPage(page: readonly V1Node[], job: Job): Promise<void> {
  const { config, surroundings, world, connection, book } = job
  const { print } = surroundings
  const { 'label-prefix': prefix, 'dry-run': isDryRun, 'startup-taint': taint } = config.options
  const { columns } = config.screen
  warnByHeartbeat(page, job)
  const rest = page.filter(({ metadata }) => !book.seen.has(metadata?.name ?? ''))
  const worker = async (): Promise<void> => {
    for (let node = rest.shift(); node !== undefined && !world.signal.aborted; node = rest.shift()) {
      const outcome = await strip(node, { connection, prefix, isDryRun, waiting: world })
      book.seen.add(outcome.name)
      book.tally = counted(book.tally, outcome)
      if (node.spec?.taints?.some(({ key }) => key === taint)) {
        book.tally = { ...book.tally, tainted: [...book.tally.tainted, outcome.name] }
      }
      print(`${told(outcome, { isDryRun, columns })}\n`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Once, and only where the Pods could not be listed. */
function warnByHeartbeat(page: readonly V1Node[], { config, surroundings, agent, book }: Job): void {
  if (agent.state !== 'unknown' || book.hasWarned) return
  const terms = { why: agent.why, now: surroundings.clock.now(), columns: config.screen.columns }
  const warning = heartbeatWarning(page, terms)
  if (warning === undefined) return
  book.hasWarned = true
  surroundings.print(`${warning}\n`)
}

function tellEnd({ config, surroundings, world, book }: Job): void {
  const { print } = surroundings
  const { 'startup-taint': taint, 'all-nodes': isAll, 'dry-run': isDryRun } = config.options
  const { columns } = config.screen
  if (book.tally.tainted.length > 0) print(`${taintNote(book.tally, taint, columns)}\n`)
  if ((isAll && book.tally.done > 0) || world.signal.aborted) print(`${summary(book.tally, { isDryRun, columns })}\n`)
  if (world.signal.aborted) print('Stopped by a signal: the other Nodes are as they were. Run it again to go on.\n')
}
