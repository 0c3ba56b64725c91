import { type Command, CommandError, type Surroundings, termsOf } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { WORLD, type World, withConnection } from '../cli/connected.ts'
import { observeEarly, openHost, startInventory } from '../cli/open-host.ts'
import { cycle } from '../cycle/cycle.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import { type NodeObject, parseNode } from '../facts/node-object.ts'
import type { Connection } from '../kubernetes/connection.ts'
import type { Metadata } from '../kubernetes/own-node/metadata.ts'
import type { Waiting } from '../kubernetes/retry.ts'
import { type DesiredState, type Difference, desiredState, differences, keysOf } from '../node-sync/difference.ts'
import type { Labels } from '../node-sync/labels.ts'
import { printable } from '../printable.ts'
import { VERSION } from '../version.ts'

/** One cycle (observe, decide, write the differences in one request, read them back), or the daemon. */
export const run: Command = async (config, surroundings) => {
  requireNodeName(config)
  if (config.options.once) return await runOnce(config, surroundings, WORLD)
  // The daemon loads logs, metrics and pages, which one cycle does not need.
  return await (await import('../agent/daemon.ts')).daemon(config, surroundings)
}

function requireNodeName({ options }: Config): void {
  if (options['node-name'] !== '') return
  throw new CommandError(
    "run needs the name of this machine's Node: expected --node-name NAME or NODE_NAME (in a pod: fieldRef spec.nodeName)",
    { status: 2 }
  )
}

export async function runOnce(config: Config, surroundings: Surroundings, world: World): Promise<number> {
  const name = config.options['node-name']
  // The observation runs while we load the client and wait for the API.
  const host = observeEarly(await openHost(config.options['host-root']), surroundings.clock)
  return await withConnection(config, world, async connection => {
    const reading = readSources(connection, config, world)
    startInventory(host)
    const before = await reading
    const { node, podSecurity } = before
    const { readResourceSlicesOnce } = await import('../agent/resource-slices.ts')
    const resourceSlices = await readResourceSlicesOnce(connection, { host, node }, world)
    const { helperHandover } = await import('../helper/read-handover.ts')
    const doubts: string[] = []
    const handed = await helperHandover({ config, host, doubted: why => doubts.push(why) })
    const sources = { host, node, podSecurity, resourceSlices, ...handed }
    const snapshot = await cycle(sources, termsOf(config), surroundings.clock)
    const wanted = desiredState(snapshot, config.options['label-prefix'], VERSION)
    const written = await publish({ connection, wanted, before }, world)
    surroundings.print(
      `${[...writeLines(name, wanted, written), ...outcomeLines(snapshot), ...doubts].map(printable).join('\n')}\n`
    )
    return 0
  })
}

/** What was read from the API before the cycle. */
interface ApiSources {
  readonly node: NodeObject
  readonly uid: string
  readonly podSecurity: Awaited<ReturnType<typeof import('../kubernetes/pod-security.ts').readPodSecurity>> | undefined
}

async function readSources(connection: Connection, { options }: Config, waiting: Waiting): Promise<ApiSources> {
  const { readNode } = await import('../kubernetes/own-node/read.ts')
  const { readPodSecurity } = await import('../kubernetes/pod-security.ts')
  const { withRetries } = await import('../kubernetes/retry.ts')
  const { 'node-name': name, 'workspace-namespace': namespace } = options
  const [raw, podSecurity] = await Promise.all([
    withRetries(() => readNode(connection, name), waiting),
    namespace === '' ? undefined : withRetries(() => readPodSecurity(connection, namespace), waiting)
  ])
  const uid = raw.metadata?.uid
  if (raw.kind !== 'Node' || raw.metadata?.name !== name || uid === undefined) {
    throw new CommandError(
      `${connection.server} returned ${described(raw)} instead of the Node "${name}"; check the URL of the server`
    )
  }
  return { node: parseNode(raw), uid, podSecurity }
}

const described = ({ kind, metadata }: { readonly kind?: string; readonly metadata?: { readonly name?: string } }): string =>
  kind === undefined ? 'something that is not a Kubernetes object' : `the ${kind} ${JSON.stringify(metadata?.name ?? '')}`

interface Publication {
  readonly connection: Connection
  readonly wanted: DesiredState
  readonly before: ApiSources
}

interface Written {
  readonly difference: Difference
  readonly old: Labels
}

/** Writes the differences, if any. Throws `CommandError` if the Node read back does not match. */
async function publish({ connection, wanted, before }: Publication, waiting: Waiting): Promise<Written> {
  const { node, uid } = before
  const difference = differences(wanted, node)
  if (keysOf(difference).length > 0) {
    const { patchMetadata } = await import('../kubernetes/own-node/patch.ts')
    const { readMetadata } = await import('../kubernetes/own-node/read.ts')
    const { withRetries } = await import('../kubernetes/retry.ts')
    await withRetries(() => patchMetadata(connection, node.name, { ...difference, uid }), waiting)
    requireMatch(wanted, await withRetries(() => readMetadata(connection, node.name), waiting), node.name)
  }
  return { difference, old: node.labels }
}

function requireMatch(wanted: DesiredState, carried: Metadata, name: string): void {
  const { labels, annotations } = differences(wanted, carried)
  const wrong = [
    ...Object.entries(labels).map(([key, value]) => `${key} is ${shown(carried.labels[key])}, expected ${shown(value)}`),
    ...Object.keys(annotations).map(key => `the annotation ${key} differs`)
  ]
  if (wrong.length === 0) return
  throw new CommandError(
    `the Node "${name}" does not carry what was just written: ${wrong.join('; ')}; an admission webhook or another writer may have changed it`
  )
}

const shown = (value: string | null | undefined): string => (value === null || value === undefined ? 'absent' : `"${value}"`)

/** What a helper did on this node, or why it did nothing. */
const outcomeLines = ({ outcomes }: Snapshot): readonly string[] =>
  outcomes.map(({ remedy, result, because }) => `${remedy}: ${result}: ${because}`)

function writeLines(name: string, wanted: DesiredState, { difference, old }: Written): readonly string[] {
  const total = Object.keys(wanted.labels).length
  const changes = Object.entries(difference.labels)
  if (keysOf(difference).length === 0) return [`${name}: nothing to write: all ${total} labels are up to date.`]
  const removed = changes.filter(([, value]) => value === null).length
  const parts = [
    `${changes.length - removed} of ${total} labels written`,
    ...(removed > 0 ? [`${removed} removed`] : []),
    ...(Object.keys(difference.annotations).length > 0 ? ['the report written'] : [])
  ]
  return [
    `${name}: ${parts.join(', ')}, in one request, and read back.`,
    ...changes.map(([key, value]) => `  ${change(key, old[key], value)}`),
    ...Object.entries(difference.annotations).map(([key, value]) => `  ${key}: ${Buffer.byteLength(value)} bytes`)
  ]
}

function change(key: string, old: string | undefined, value: string | null): string {
  if (value === null) return `${key} removed (was ${old})`
  return old === undefined ? `${key}=${value}` : `${key}=${old} → ${value}`
}
