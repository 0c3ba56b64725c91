import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { load, loadAll } from 'js-yaml'
import { Agent, request } from 'undici'
import { ROOT } from '../../../packaging/root.ts'
import { type Api, apiOf, succeeded } from './api.ts'
import type { ControlPlaneClient } from './control-plane.ts'

/** What berth is installed from. */
export const BASE = join(ROOT, 'manifests/base')

/** Whom the manifests give rights to, and whom the policy holds to them. */
export const AGENT = { namespace: 'berth', serviceAccount: 'berth-agent' } as const

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

const poll = 100 // milliseconds
const activeLimit = 60_000 // a new policy takes 2 to 3 s on an idle machine

/** All objects of the files that `kustomization.yaml` names as resources; nothing else in it is heeded. */
export async function readManifests(directory: string): Promise<readonly Manifest[]> {
  const read = (file: string) => readFile(join(directory, file), 'utf8')
  const { resources } = load(await read('kustomization.yaml')) as { readonly resources: readonly string[] }
  const documents = await Promise.all(resources.map(async file => loadAll(await read(file)) as Manifest[]))
  return documents.flat()
}

/** The text with a part in place of another, which it must have just once: else a test would go on with what it did not mean. */
export function replacedOnce(text: string, part: string, by: string): string {
  const [before, after, ...more] = text.split(part)
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`expected ${part} once, and found it ${text.split(part).length - 1} times in ${text}`)
  }
  return `${before}${by}${after}`
}

/** Applies them as the administrator, as often as one likes, and resolves when roles and admission policies are in force. */
export const applyManifests = async (client: ControlPlaneClient, directory = BASE): Promise<void> =>
  applyAll(client, await readManifests(directory))

/** The same for objects in the order in which they can be made. */
export async function applyAll(client: ControlPlaneClient, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) await apply(client.api, manifest)
  const kinds = new Set(manifests.map(({ kind }) => kind))
  if (kinds.has('ClusterRoleBinding')) await until('the role is in force', await mayReadNodes(client))
  if (kinds.has('ValidatingAdmissionPolicyBinding')) {
    await until('the policy is in force', () => mayNotCreateNodes(client))
    await until('the policy of events is in force', () => mayNotForgeEvents(client))
  }
}

/** `/api/v1/namespaces/berth`, from an object: its apiVersion, its kind as a plural, its namespace if it has one. */
export function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  return `${group}${within}/${kind
    .toLowerCase()
    .replace(/(?<![aeiou])y$/, 'ie')
    .replace(/s$/, 'se')}s/${metadata.name}`
}

async function apply(api: Api, manifest: Manifest): Promise<void> {
  const path = `${pathOf(manifest)}?fieldManager=installer&force=true`
  await succeeded(
    `apply ${manifest.kind} ${manifest.metadata.name}`,
    api('PATCH', path, manifest, 'application/apply-patch+yaml')
  )
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + activeLimit
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${activeLimit / 1000} s in vain until ${what}`)
    await sleep(poll)
  }
}

const nowhere = 'no-such-node-of-berth'

/** Whether the role of the agent is in force. */
export async function mayReadNodes(client: ControlPlaneClient): Promise<() => Promise<boolean>> {
  const agent = apiOf(client, { token: await client.tokenFor(AGENT) })
  return async () => (await agent('GET', `/api/v1/nodes/${nowhere}`)).status === 404
}

/** Whether the admission policy is in force. Asked with all rights that RBAC can give, so that only the policy is left to refuse; as a dry run, so that no Node appears. */
export async function mayNotCreateNodes(client: ControlPlaneClient): Promise<boolean> {
  const agent = withAllRights(client, `system:serviceaccount:${AGENT.namespace}:${AGENT.serviceAccount}`)
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: nowhere } }
  return (await agent('POST', '/api/v1/nodes?dryRun=All', node)).status === 422
}

/** The same for the policy that holds Events. */
export async function mayNotForgeEvents(client: ControlPlaneClient): Promise<boolean> {
  const agent = withAllRights(client, `system:serviceaccount:${AGENT.namespace}:${AGENT.serviceAccount}`)
  const event = { metadata: { name: nowhere }, involvedObject: { kind: 'Node', name: nowhere } }
  return (await agent('POST', '/api/v1/namespaces/default/events?dryRun=All', event)).status === 422
}

/** As that user, but with the rights of an administrator, and with the claim of a node if one is named. */
export function withAllRights(client: ControlPlaneClient, username: string, nodeName?: string): Api {
  const identity = {
    ...{ 'impersonate-user': username, 'impersonate-group': 'system:masters' },
    ...(nodeName === undefined ? {} : { 'impersonate-extra-authentication.kubernetes.io%2fnode-name': nodeName })
  }
  return async <T>(method: string, path: string, body?: unknown, contentType = defaultType(method)) => {
    const dispatcher = await asAdministrator(client)
    const headers = { ...identity, accept: 'application/json', 'content-type': contentType }
    try {
      const answer = await request(`${client.url}${path}`, { dispatcher, method, headers, body: JSON.stringify(body) ?? null })
      return { status: answer.statusCode, body: (await answer.body.json()) as T }
    } finally {
      await dispatcher.close()
    }
  }
}

async function asAdministrator({ ca, directory }: ControlPlaneClient): Promise<Agent> {
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  return new Agent({ connect: { ca, cert: await read('admin.crt'), key: await read('admin.key') } })
}

function defaultType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
}
