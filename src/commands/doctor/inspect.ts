import type { World } from '../../cli/connected.ts'
import type { Clock } from '../../cycle/cycle.ts'
import { detectBootId } from '../../facts/boot-id.ts'
import type { Attempt } from '../../facts/fact.ts'
import type { HostReader } from '../../host/host.ts'
import { checkGuard } from '../../kubernetes/admission-guard/check.ts'
import { readAgentPage } from '../../kubernetes/agent-pages.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import { cvmClaims } from '../../kubernetes/cvm-claims.ts'
import { identify } from '../../kubernetes/identity.ts'
import type { V1Node } from '../../kubernetes/models.ts'
import { readNode } from '../../kubernetes/own-node/read.ts'
import { changeCondition, changeKeys } from '../../kubernetes/patch-node.ts'
import { grantedOf } from '../../kubernetes/permissions.ts'
import { withRetries } from '../../kubernetes/retry.ts'
import { readServerTime, readVersion } from '../../kubernetes/server.ts'
import { injectionOf, sidecarInjectors } from '../../kubernetes/sidecar-injectors.ts'
import { CONDITION_TYPE, type Condition } from '../../node-sync/condition.ts'
import type { AgentResponses, InspectedNode, Inspection, Terms } from './inspection.ts'
import { EXCESSIVE, neededBy } from './permissions.ts'

export interface InspectionTerms {
  readonly terms: Terms
  readonly connection: Connection
  readonly host: HostReader
  readonly clock: Clock
  readonly world: World
}

/** Reads everything that the checks judge, or the reason why it cannot be read. Writes are dry runs. Throws only on bugs. */
export async function inspect({ terms, connection, host, clock, world }: InspectionTerms): Promise<Inspection> {
  const { signal } = new AbortController()
  const { nodeName, prefix, workspaceNamespace: namespace } = terms
  const local = Promise.all([
    attempt(() => detectBootId({ host, node: undefined, podSecurity: undefined })),
    attempt(() => readAgent(terms.agentAddress))
  ])
  const request = <T>(send: () => Promise<T>): Promise<Attempt<T>> => attempt(() => withRetries(send, world))
  const api = await request(() => readVersion(connection, signal))
  const identity = api.ok ? await request(() => identify(connection, signal)) : notChecked('the API does not respond')
  // Without an identity, every other request would fail for the same reason.
  const ask = <T>(send: () => Promise<T>): Promise<Attempt<T>> =>
    identity.ok ? request(send) : Promise.resolve(api.ok ? notChecked('the API rejects our credentials') : identity)
  const ahead = await ask(() => compareClocks(connection, clock, signal))
  const [node, allowed, guard, write, injectors, injection, claims] = await Promise.all([
    ask(async () => inspectedNode(await readNode(connection, nodeName))),
    ask(() => grantedOf(connection, [...neededBy(terms), ...EXCESSIVE], signal)),
    ask(() => checkGuard(connection, nodeName, signal)),
    ask(() => tryWrite(connection, terms, clock.now())),
    ask(() => sidecarInjectors(connection, signal)),
    ask(async () => (namespace === '' ? '' : await injectionOf(connection, namespace, signal))),
    ask(() => cvmClaims(connection, { prefix, namespace }, signal))
  ])
  const [boot, agent] = await local
  const answers = { api, identity, node, boot, allowed, guard, write, ahead, agent, injectors, injection, claims }
  return { terms, server: connection.server, ...answers, now: clock.now() }
}

const notChecked = (why: string) => ({ ok: false, why: `not checked, because ${why}` }) as const

async function attempt<T>(ask: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await ask() }
  } catch (error) {
    if (error instanceof TypeError || error instanceof ReferenceError) throw error // a bug
    return { ok: false, why: (error as Error).message }
  }
}

const inspectedNode = ({ metadata, spec, status }: V1Node): InspectedNode => ({
  bootId: status?.nodeInfo?.bootID ?? '',
  labels: metadata?.labels ?? {},
  annotations: metadata?.annotations ?? {},
  taints: spec?.taints ?? [],
  condition: status?.conditions?.find(({ type }) => type === CONDITION_TYPE) as Condition | undefined
})

/** The server's time is rounded down to seconds, and was taken at some moment between our request and its response. */
async function compareClocks(connection: Connection, { now }: Clock, signal: AbortSignal): Promise<readonly [number, number]> {
  const before = now().getTime()
  const theirs = (await readServerTime(connection, signal)).getTime()
  const after = now().getTime()
  return [theirs - after, theirs + 999 - before]
}

/** A dry run of the agent's writes: a label and the condition. Throws `ApiError`, also for a refusal. */
async function tryWrite(connection: Connection, { nodeName: name, prefix }: Terms, now: Date): Promise<true> {
  const change = { name, isDryRun: true }
  const at = `${now.toISOString().slice(0, 19)}Z`
  const condition = { type: CONDITION_TYPE, status: 'Unknown', reason: 'Doctor', message: '', lastHeartbeatTime: at }
  await changeKeys(connection, change, { labels: { [`${prefix}/cvm`]: 'unknown' }, annotations: {} })
  await changeCondition(connection, change, { ...condition, lastTransitionTime: at })
  return true
}

async function readAgent(address: string): Promise<AgentResponses> {
  const page = (path: string) => readAgentPage(`http://${address}${path}`)
  const all = [page('/metrics'), page('/healthz'), page('/readyz'), page('/status.json')] as const
  const [metrics, health, ready, status] = await Promise.all(all)
  return { metrics, health, ready, node: nodeOf(status.text) }
}

function nodeOf(text: string): string {
  try {
    const { node } = JSON.parse(text) as { readonly node?: unknown }
    return typeof node === 'string' ? node : ''
  } catch {
    return ''
  }
}
