import { createHash } from 'node:crypto'
import type { Release } from '../go-programs.ts'
import { type Api, succeeded } from './api.ts'
import { imagesOnNode } from './node-images.ts'

export interface Taint {
  readonly key: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
  readonly value?: string
}

/** A Node as JSON has it. What no test reads by name stays `unknown`. */
export interface NodeObject {
  readonly apiVersion: 'v1'
  readonly kind: 'Node'
  readonly metadata: NodeMetadata
  readonly spec: { readonly taints?: readonly Taint[]; readonly unschedulable?: boolean; readonly [field: string]: unknown }
  readonly status: { readonly [field: string]: unknown }
}

interface NodeMetadata {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly uid?: string
  readonly resourceVersion?: string
  readonly managedFields?: readonly unknown[]
}

/** Each is laid over what a kubelet writes, key by key; a list or an object in `spec` or `status` is replaced as a whole. */
export interface NodeOverrides {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec?: NodeObject['spec']
  readonly status?: NodeObject['status']
}

/** A Node as kubelet, cloud provider and controllers leave it, about 20 kB; everything in it follows from the name. */
export function realisticNode(name: string, overrides: NodeOverrides = {}): NodeObject {
  const ids = idsOf(name)
  const metadata = {
    name,
    labels: { ...labelsOf(name), ...overrides.labels },
    annotations: { ...annotationsOf(ids), ...overrides.annotations }
  }
  const spec = { podCIDR: ids.podCidr, podCIDRs: [ids.podCidr], providerID: `aws:///eu-central-1a/i-${ids.hex(17)}` }
  const status = { ...addressing(name, ids), ...resources(), ...health(), ...software(ids), images: imagesOnNode() }
  return {
    ...{ apiVersion: 'v1', kind: 'Node', metadata },
    ...{ spec: { ...spec, ...overrides.spec }, status: { ...status, ...overrides.status } }
  }
}

/** The same with neither labels nor annotations: the keys are missing, which trips a JSON Patch that adds below them. */
export function bareNode(name: string, overrides: Pick<NodeOverrides, 'spec' | 'status'> = {}): NodeObject {
  return { ...realisticNode(name, overrides), metadata: { name } }
}

/**
 * Puts it into the API as its owners would, so that the managed fields are theirs too, and returns what is stored.
 * The API server taints every new Node `not-ready` and waits for a controller that does not run here: the taints asked for win.
 */
export async function createNode(
  { api, release = 'newest' }: { readonly api: Api; readonly release?: Release },
  node: NodeObject
): Promise<NodeObject> {
  const path = `/api/v1/nodes/${node.metadata.name}`
  const created = { apiVersion: node.apiVersion, kind: node.kind, metadata: node.metadata, spec: node.spec }
  const what = `create Node ${node.metadata.name}`
  await succeeded(what, api('POST', '/api/v1/nodes?fieldManager=kubelet', created))
  const spec = { taints: node.spec.taints ?? null }
  await succeeded(what, api('PATCH', `${path}?fieldManager=kube-controller-manager`, { spec }))
  return succeeded(
    what,
    api<NodeObject>('PATCH', `${path}/status?fieldManager=kubelet`, { status: reported(node.status, release) })
  )
}

/** Fields of a Node's status that a kubelet of the oldest release does not report, and its API server drops or does not know. */
export const NEWER_STATUS_FIELDS: readonly string[] = ['runtimeHandlers', 'features', 'declaredFeatures']

const reported = (status: NodeObject['status'], release: Release): NodeObject['status'] =>
  release === 'newest'
    ? status
    : Object.fromEntries(Object.entries(status).filter(([field]) => !NEWER_STATUS_FIELDS.includes(field)))

interface Ids {
  readonly hex: (length: number) => string
  readonly uuid: (what: string) => string
  readonly address: string
  readonly podCidr: string
}

/** Invented, yet the same on every run: a golden or a diff of two runs stays readable. */
function idsOf(name: string): Ids {
  const digest = (what: string) => createHash('sha256').update(`${name} ${what}`).digest()
  const [a = 0, b = 0] = digest('address')
  const uuid = (what: string) =>
    digest(what)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5')
  return {
    hex: length => digest('hex').toString('hex').slice(0, length),
    ...{ uuid, address: `10.0.${a}.${b}`, podCidr: `10.${64 + (a % 64)}.${b}.0/24` }
  }
}

function labelsOf(name: string): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/instance-type': 'm6i.xlarge',
    'beta.kubernetes.io/os': 'linux',
    'failure-domain.beta.kubernetes.io/region': 'eu-central-1',
    'failure-domain.beta.kubernetes.io/zone': 'eu-central-1a',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'node.kubernetes.io/instance-type': 'm6i.xlarge',
    'topology.kubernetes.io/region': 'eu-central-1',
    'topology.kubernetes.io/zone': 'eu-central-1a'
  }
}

function annotationsOf(ids: Ids): Record<string, string> {
  return {
    'alpha.kubernetes.io/provided-node-ip': ids.address,
    'csi.volume.kubernetes.io/nodeid': JSON.stringify({ 'ebs.csi.aws.com': `i-${ids.hex(17)}` }),
    'node.alpha.kubernetes.io/ttl': '0',
    'volumes.kubernetes.io/controller-managed-attach-detach': 'true'
  }
}

function addressing(name: string, { address }: Ids): NodeObject['status'] {
  const addresses = [
    { type: 'InternalIP', address },
    { type: 'InternalDNS', address: `ip-${address.replaceAll('.', '-')}.eu-central-1.compute.internal` },
    { type: 'Hostname', address: name }
  ]
  return { addresses, daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } }
}

function resources(): NodeObject['status'] {
  const huge = { 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', pods: '58' }
  return {
    capacity: { cpu: '4', 'ephemeral-storage': '203056560Ki', memory: '16069060Ki', ...huge },
    allocatable: { cpu: '3920m', 'ephemeral-storage': '186063183719', memory: '15052228Ki', ...huge }
  }
}

function health(): NodeObject['status'] {
  const times = { lastHeartbeatTime: '2026-01-05T10:20:30Z', lastTransitionTime: '2026-01-05T08:00:00Z' }
  const fine = (type: string, reason: string, message: string) => ({ type, status: 'False', ...times, reason, message })
  const conditions = [
    fine('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    fine('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    fine('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    { type: 'Ready', status: 'True', ...times, reason: 'KubeletReady', message: 'kubelet is posting ready status' }
  ]
  return { conditions }
}

function software(ids: Ids): NodeObject['status'] {
  const nodeInfo = {
    ...{ machineID: ids.uuid('machine').replaceAll('-', ''), systemUUID: ids.uuid('system'), bootID: ids.uuid('boot') },
    ...{ kernelVersion: '6.8.0-1021-aws', osImage: 'Ubuntu 22.04.5 LTS', operatingSystem: 'linux', architecture: 'amd64' },
    ...{ containerRuntimeVersion: 'containerd://1.7.27', kubeletVersion: 'v1.36.3', kubeProxyVersion: '' }
    // no `swap`: the API refuses every later patch of a Node whose swap capacity is 0
  }
  const handlers = ['', 'runc'].map(name => ({
    name,
    features: { recursiveReadOnlyMounts: true, userNamespaces: true }
  }))
  return { nodeInfo, runtimeHandlers: handlers, features: { supplementalGroupsPolicy: true } }
}
