import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programFolder, type Release } from '../go-programs.ts'
import { ownFolder } from '../own-folder.ts'
import { type Api, apiOf } from './api.ts'
import { makeKeys } from './keys.ts'
import { holdFreePort } from './ports.ts'
import type { RunningProcess } from './processes.ts'
import { bringUp, killAll, type Site, terminateInOrder } from './site.ts'
import { type TokenWish, tokenFor } from './tokens.ts'

/** What a test in another process needs in order to talk to it: plain strings, which vitest can hand over. */
export interface ControlPlaneAddress {
  readonly url: string
  readonly caFile: string
  /** The text of `caFile`, PEM. */
  readonly ca: string
  /** A file with the client certificate of an administrator (group system:masters). */
  readonly kubeconfig: string
  /** A folder of its own with keys, data and the logs etcd.log and kube-apiserver.log. */
  readonly directory: string
  /** One line of JSON a request (level Metadata), appended to by every start. */
  readonly auditLog: string
  /** Of Kubernetes. */
  readonly release: Release
}

export interface ControlPlaneClient extends ControlPlaneAddress {
  /** As the administrator. */
  readonly api: Api
  readonly tokenFor: (wish: TokenWish) => Promise<string>
}

/** A real etcd and kube-apiserver on 127.0.0.1. Ports, keys and data survive `stop` and `crash`; only `close` ends them. */
export interface ControlPlane extends ControlPlaneClient {
  /** Where etcd answers, HTTP without keys. */
  readonly etcd: string
  /** Starts again after `stop` or `crash`; resolves when the API server is ready. */
  readonly start: () => Promise<void>
  /** Ends both in order, the API server first. */
  readonly stop: () => Promise<void>
  /** Kills both at once. */
  readonly crash: () => Promise<void>
  /** The API server and etcd keep their connections and answer nothing until `thaw`, or until `crash` kills them so. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Kills both and deletes the folder. */
  readonly close: () => Promise<void>
}

export interface ControlPlaneOptions {
  /** Of the API server; the newest unless told. etcd is the same for both. */
  readonly release?: Release
  /** More flags of kube-apiserver, after the fixture's own; of the folder with its keys. */
  readonly apiServerFlags?: readonly string[] | ((directory: string) => readonly string[])
}

const clashes = 5 // times that other ports are tried when somebody took one in the moment between looking and using

export async function startControlPlane({
  release = 'newest',
  apiServerFlags: flags = []
}: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await binariesOf(release)
  const directory = await ownFolder(tmpdir(), 'berth-cluster-')
  try {
    await prepare(directory)
    return await firstStart({ binaries, release, directory, flags: typeof flags === 'function' ? flags(directory) : flags })
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

/** The client side of a control plane, from plain values: for a test in another process than the one that started it. */
export function clientOf(address: ControlPlaneAddress): ControlPlaneClient {
  const at = (name: string) => join(address.directory, name)
  const api = apiOf(address, { certFile: at('admin.crt'), keyFile: at('admin.key') })
  return { ...address, api, tokenFor: wish => tokenFor(api, wish) }
}

async function binariesOf(release: Release): Promise<Site['binaries']> {
  const [newest, wanted] = await Promise.all([
    programFolder('kubernetes'),
    programFolder(release === 'oldest' ? 'oldest-kubernetes' : 'kubernetes')
  ])
  return { etcd: join(newest, 'etcd'), kubeApiserver: join(wanted, 'kube-apiserver') }
}

async function prepare(directory: string): Promise<void> {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata' }]
  }
  await writeFile(join(directory, 'audit-policy.json'), JSON.stringify(policy))
  await makeKeys(directory)
}

async function firstStart(parts: Omit<Site, 'ports'>): Promise<ControlPlane> {
  for (let left = clashes; ; left--) {
    const site = { ...parts, ports: await freePorts() }
    const asAdmin = clientOf(await addressOf(site))
    try {
      return controlled(site, asAdmin, await bringUp(site, asAdmin.api))
    } catch (error) {
      if (left === 0 || !`${error}`.includes('address already in use')) throw error
      await rm(join(site.directory, 'etcd'), { recursive: true, force: true }) // it remembers its peer port
    }
  }
}

async function freePorts(): Promise<Site['ports']> {
  const held = [await holdFreePort(), await holdFreePort(), await holdFreePort()] as const
  await Promise.all(held.map(({ release }) => release()))
  const [client, peer, secure] = held
  return { client: client.port, peer: peer.port, secure: secure.port }
}

async function addressOf({ directory, ports, release }: Site): Promise<ControlPlaneAddress> {
  const at = (name: string) => join(directory, name)
  const url = `https://127.0.0.1:${ports.secure}`
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': at('ca.crt') } }],
    users: [{ name: 'admin', user: { 'client-certificate': at('admin.crt'), 'client-key': at('admin.key') } }]
  }
  await writeFile(at('admin.kubeconfig'), JSON.stringify(config, undefined, 2)) // YAML is a superset of JSON
  const ca = await readFile(at('ca.crt'), 'utf8')
  return { url, caFile: at('ca.crt'), ca, kubeconfig: at('admin.kubeconfig'), directory, auditLog: at('audit.log'), release }
}

function controlled(site: Site, client: ControlPlaneClient, started: readonly RunningProcess[]): ControlPlane {
  let running = started
  const start = async () => {
    if (running.length > 0) throw new Error('the control plane is already started')
    running = await bringUp(site, client.api)
  }
  const stop = async () => {
    await terminateInOrder(running.toReversed())
    running = []
  }
  const crash = async () => {
    await killAll(running)
    running = []
  }
  const signalBoth = (signal: NodeJS.Signals) => {
    if (running.length === 0) throw new Error('the control plane is not running')
    for (const one of running.toReversed()) one.signal(signal)
  }
  const close = async () => {
    await crash()
    await rm(site.directory, { recursive: true, force: true })
  }
  const freeze = () => signalBoth('SIGSTOP')
  const thaw = () => signalBoth('SIGCONT')
  return { ...client, etcd: `http://127.0.0.1:${site.ports.client}`, start, stop, crash, freeze, thaw, close }
}
