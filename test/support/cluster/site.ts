import { join } from 'node:path'
import type { Release } from '../go-programs.ts'
import type { Api } from './api.ts'
import { launch, logTail, type RunningProcess, untilReady } from './processes.ts'

/** Everything that a start needs and that stays the same from one start to the next. */
export interface Site {
  readonly binaries: { readonly etcd: string; readonly kubeApiserver: string }
  readonly release: Release
  readonly directory: string
  /** Of etcd's clients, of etcd's peers (it has none), of the API server. */
  readonly ports: { readonly client: number; readonly peer: number; readonly secure: number }
  readonly flags: readonly string[]
}

/** Resolves when both are ready; leaves neither running when it fails. */
export async function bringUp(site: Site, api: Api): Promise<readonly RunningProcess[]> {
  const started: RunningProcess[] = []
  const log = (name: string) => join(site.directory, `${name}.log`)
  try {
    const etcd = await launch([site.binaries.etcd, ...etcdFlags(site)], log('etcd'))
    started.push(etcd)
    await untilReady(etcd, () => answersOk(`http://127.0.0.1:${site.ports.client}/readyz`))
    const apiServer = await launch([site.binaries.kubeApiserver, ...apiServerFlags(site)], log('kube-apiserver'))
    started.push(apiServer)
    await untilReady(apiServer, async () => (await api('GET', '/readyz')).status === 200)
    if (!etcd.alive()) throw new Error(`etcd ended, and another answered in its place\n${await logTail(etcd.logFile)}`)
    return started
  } catch (error) {
    await killAll(started)
    throw error
  }
}

async function answersOk(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(5000) })).ok
}

/** One after the other; a frozen one could not hear SIGTERM, so it is woken first. */
export async function terminateInOrder(processes: readonly RunningProcess[]): Promise<void> {
  for (const running of processes) {
    running.signal('SIGCONT')
    running.signal('SIGTERM')
    await running.ended
  }
}

export async function killAll(processes: readonly RunningProcess[]): Promise<void> {
  for (const running of processes) running.signal('SIGKILL')
  await Promise.all(processes.map(running => running.ended))
}

function etcdFlags({ directory, ports }: Site): string[] {
  const clients = `http://127.0.0.1:${ports.client}`
  const peers = `http://127.0.0.1:${ports.peer}`
  return [
    ...['--name', 'test', '--data-dir', join(directory, 'etcd'), '--log-level', 'warn'],
    ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `test=${peers}`],
    '--unsafe-no-fsync' // what was written outlives a killed process without it; only a power cut would need it
  ]
}

function apiServerFlags({ directory, ports, flags }: Site): string[] {
  const at = (name: string) => join(directory, name)
  return [
    ...['--etcd-servers', `http://127.0.0.1:${ports.client}`, '--bind-address', '127.0.0.1', '--secure-port', `${ports.secure}`],
    ...['--advertise-address', '127.0.0.1', '--endpoint-reconciler-type', 'none', '--service-cluster-ip-range', '10.0.0.0/24'],
    ...['--tls-cert-file', at('server.crt'), '--tls-private-key-file', at('server.key'), '--client-ca-file', at('ca.crt')],
    ...['--authorization-mode', 'Node,RBAC', '--enable-admission-plugins', 'NodeRestriction', '--allow-privileged'],
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-key-file', at('sa.pub')],
    ...['--service-account-signing-key-file', at('sa.key')],
    ...['--audit-policy-file', at('audit-policy.json'), '--audit-log-path', at('audit.log')],
    ...flags
  ]
}
