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
import { EXCESSIVE, neededBy } from './permissions.ts'
import type { AgentAnswers, Seen, SeenNode, Terms } from './seen.ts'

export interface Patient {
  readonly terms: Terms
  readonly connection: Connection
  readonly host: HostReader
  readonly clock: Clock
  readonly world: World
}

/** Asks everything that the checks judge. What cannot be asked is why; only bugs escape. Nothing is stored: writes are tried dry. */
export async function examine({ terms, connection, host, clock, world }: Patient): Promise<Seen> {
  const { signal } = new AbortController()
  const { nodeName, prefix, workspaceNamespace: namespace } = terms
  const around = Promise.all([
    attempt(() => detectBootId({ host, node: undefined, podSecurity: undefined })),
    attempt(() => askAgent(terms.agentAddress))
  ])
  const asked = <T>(ask: () => Promise<T>): Promise<Attempt<T>> => attempt(() => withRetries(ask, world))
  const api = await asked(() => readVersion(connection, signal))
  const identity = api.ok ? await asked(() => identify(connection, signal)) : away('the API does not answer')
  // Once it does not know us, every other answer would be the same.
  const ask = <T>(question: () => Promise<T>): Promise<Attempt<T>> =>
    identity.ok ? asked(question) : Promise.resolve(api.ok ? away('the API does not know us') : identity)
  const ahead = await ask(() => compareClocks(connection, clock, signal))
  const [node, allowed, guard, write, injectors, injection, claims] = await Promise.all([
    ask(async () => seenNode(await readNode(connection, nodeName))),
    ask(() => grantedOf(connection, [...neededBy(terms), ...EXCESSIVE], signal)),
    ask(() => checkGuard(connection, nodeName, signal)),
    ask(() => tryWrite(connection, terms, clock.now())),
    ask(() => sidecarInjectors(connection, signal)),
    ask(async () => (namespace === '' ? '' : await injectionOf(connection, namespace, signal))),
    ask(() => cvmClaims(connection, { prefix, namespace }, signal))
  ])
  const [boot, agent] = await around
  const answers = { api, identity, node, boot, allowed, guard, write, ahead, agent, injectors, injection, claims }
  return { terms, server: connection.server, ...answers, now: clock.now() }
}

const away = (why: string) => ({ ok: false, why: `not tried, since ${why}` }) as const

async function attempt<T>(ask: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await ask() }
  } catch (error) {
    if (error instanceof TypeError || error instanceof ReferenceError) throw error // our own mistake
    return { ok: false, why: (error as Error).message }
  }
}

const seenNode = ({ metadata, spec, status }: V1Node): SeenNode => ({
  bootId: status?.nodeInfo?.bootID ?? '',
  labels: metadata?.labels ?? {},
  annotations: metadata?.annotations ?? {},
  taints: spec?.taints ?? [],
  condition: status?.conditions?.find(({ type }) => type === CONDITION_TYPE) as Condition | undefined
})

/** The server's answer is cut off to whole seconds, and was given at some moment between asking and hearing. */
async function compareClocks(connection: Connection, { now }: Clock, signal: AbortSignal): Promise<readonly [number, number]> {
  const before = now().getTime()
  const theirs = (await readServerTime(connection, signal)).getTime()
  const after = now().getTime()
  return [theirs - after, theirs + 999 - before]
}

/** A label and the condition, as the agent writes them, tried dry. Throws `ApiError` for a refusal too. */
async function tryWrite(connection: Connection, { nodeName: name, prefix }: Terms, now: Date): Promise<true> {
  const change = { name, isDryRun: true }
  const at = `${now.toISOString().slice(0, 19)}Z`
  const condition = { type: CONDITION_TYPE, status: 'Unknown', reason: 'Doctor', message: '', lastHeartbeatTime: at }
  await changeKeys(connection, change, { labels: { [`${prefix}/cvm`]: 'unknown' }, annotations: {} })
  await changeCondition(connection, change, { ...condition, lastTransitionTime: at })
  return true
}

async function askAgent(address: string): Promise<AgentAnswers> {
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
