import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import type { Way } from '../../src/commands/template/node-pool.ts'
import { render } from '../cluster/kustomize.ts'
import { machines } from '../nodes/machines.ts'
import type { Machine } from '../nodes/played.ts'
import { eventually, nodeOf } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import type { ControlPlane } from '../support/cluster/control-plane.ts'
import { applyAll, type Manifest, replacedOnce } from '../support/cluster/manifests.ts'
import { objectsOf, WAYS_AND_TEXTS } from '../unit/workspaces.ts'
import { layMachine } from './machine-root.ts'
import { NODE_NAME, startNode } from './node.ts'
import { offer, PODS, type Pod, podOf } from './pods.ts'

const FUSE = 'berth.dev/fuse'
const GPU = 'nvidia.com/gpu'
const KVM = 'berth.dev/kvm'

interface Case {
  /** Extended resources that device plugins offer there. */
  readonly offers: readonly (typeof FUSE | typeof GPU | typeof KVM)[]
  /** The workspaces that it hosts, by the rules, worked out by hand; all others stay Pending. */
  readonly hosts: readonly Way[]
}

// The node's runtime has a handler `sysbox-runc` all the time, and privileged pods are allowed.
// Its kubelet runs in a user namespace and reports that, so no machine hosts `userns` here.
const CASES: Readonly<Record<string, Case>> = {
  'gke-ubuntu-22.04': { offers: [FUSE], hosts: ['cvm', 'cached-cvm', 'podman', 'privileged'] },
  'gke-cos-6.6': { offers: [FUSE], hosts: ['podman', 'privileged'] },
  'bottlerocket-fresh': { offers: [FUSE], hosts: ['privileged'] },
  'bottlerocket-raised': { offers: [FUSE], hosts: ['cvm', 'podman', 'privileged'] },
  'eks-al2023': { offers: [FUSE], hosts: ['cvm', 'podman', 'privileged'] },
  'ubuntu-24.04': { offers: [FUSE], hosts: ['cvm', 'privileged'] },
  'modules-disabled': { offers: [FUSE], hosts: ['podman', 'privileged'] },
  talos: { offers: [], hosts: ['privileged'] },
  // Whether CVMs run there is not known, and what is not known is not promised.
  'rocky-9': { offers: [FUSE], hosts: ['podman', 'privileged'] },
  'sysbox-running': { offers: [], hosts: ['cvm', 'sysbox', 'systemd-sysbox', 'privileged'] },
  'sysbox-half-dead': { offers: [], hosts: ['cvm', 'privileged'] },
  // A cached CVM may not have a GPU, and leaves nodes that have one to others.
  'dell-a100': { offers: [GPU], hosts: ['cvm', 'gpu', 'gpu-cvm', 'privileged'] },
  'ec2-g5': { offers: [GPU], hosts: ['cvm', 'gpu', 'privileged'] },
  'gpu-no-driver': { offers: [GPU], hosts: ['cvm', 'cached-cvm', 'privileged'] },
  'kvm-offered': { offers: [KVM], hosts: ['cvm', 'kvm', 'privileged'] },
  // The scheduler would send microVMs there: the device is offered, and only the label says that it does not work.
  'kvm-pvm': { offers: [KVM], hosts: ['cvm', 'privileged'] }
}

test('stand-ins for workspaces of every kind, on stand-ins for machines, land where the labels say, and nowhere else', async () => {
  await using node = await startNode({ images: inject('images') })
  const { plane, folder } = node
  const own = nodeOf(plane, NODE_NAME)
  const root = join(folder, 'machine')
  mkdirSync(root)
  await applyAll(
    plane,
    (await render()).map(manifest => playing(manifest, root))
  )
  const objects = WAYS_AND_TEXTS.flatMap(([, text]) => objectsOf(text)).map(inDefault)
  await applyAll(plane, [
    ...objects.filter(({ kind }) => kind === 'PersistentVolumeClaim').map(diskFor),
    ...objects.filter(({ kind }) => kind !== 'Pod')
  ])
  const pods = objects.filter(({ kind }) => kind === 'Pod').map(affordable)

  const table: Record<string, readonly string[]> = {}
  for (const [index, [name, { offers, hosts }]] of Object.entries(CASES).entries()) {
    const bootId = `${`${index}`.padStart(8, '0')}-1111-4111-8111-111111111111`
    await offer(plane, {
      [FUSE]: null,
      [GPU]: null,
      [KVM]: null,
      ...Object.fromEntries(offers.map(resource => [resource, '10']))
    })
    layMachine(machines[name] as Machine, `${bootId}\n`, root)
    await eventually(`the report is about ${name}`, async () =>
      JSON.stringify((await own.read()).metadata.annotations).includes(bootId)
    )
    for (const pod of pods) await succeeded(pod.metadata.name, plane.api('POST', PODS, pod))
    table[name] = await settled(plane, pods, hosts)
    await emptied(plane)
  }
  expect(table).toEqual(Object.fromEntries(Object.entries(CASES).map(([name, { hosts }]) => [name, [...hosts].sort()])))
})

/** The agent sees the whole root of the played machine instead of parts of the real one, and is asked about privileged workspaces. */
function playing(manifest: Manifest, root: string): Manifest {
  if (manifest.kind !== 'DaemonSet') return manifest
  const isOfNode = ({ name }: Named): boolean => name.startsWith('node-')
  const text = JSON.stringify(manifest, (key, value) => {
    if (key === 'volumes')
      return [...value.filter((volume: Named) => !isOfNode(volume)), { name: 'machine', hostPath: { path: root } }]
    if (key !== 'volumeMounts') return value
    return [...value.filter((mount: Named) => !isOfNode(mount)), { name: 'machine', mountPath: '/host', readOnly: true }]
  })
  const [variable, asked] = ['{"name":"BERTH_HOST_ROOT"', '{"name":"BERTH_PRIVILEGED_WORKSPACES","value":"allowed"}']
  return JSON.parse(replacedOnce(text, variable, `${asked},${variable}`)) as Manifest
}

interface Named {
  readonly name: string
}

const inDefault = (manifest: Manifest): Manifest =>
  manifest.kind === 'RuntimeClass' ? manifest : { ...manifest, metadata: { ...manifest.metadata, namespace: 'default' } }

/** A volume for a claim, on what pods may ID-map. */
const diskFor = ({ metadata: { name } }: Manifest): Manifest => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: '100G' },
    accessModes: ['ReadWriteOnce'],
    claimRef: { namespace: 'default', name },
    hostPath: { path: `/run/node/disks/${name}`, type: 'DirectoryOrCreate' }
  }
})

/** The machine that tests has two processors for all workspaces at once. */
function affordable(pod: Manifest): Manifest {
  const text = JSON.stringify(pod, (key, value) => (key === 'requests' ? { cpu: '10m', memory: '16Mi' } : value))
  return JSON.parse(text) as Manifest
}

const wayOf = (name: string): string => name.replace(/^workspace-/, '')

/** Resolves to the workspaces that run when all are decided; those that are not meant to must be refused by the scheduler. */
async function settled(plane: ControlPlane, pods: readonly Manifest[], hosts: readonly string[]): Promise<readonly string[]> {
  const states = await eventually(`all workspaces are decided`, async () => {
    const found = await Promise.all(pods.map(({ metadata }) => podOf(plane, metadata.name)))
    const decided = found.every(
      pod => isRunning(pod) || (refusal(pod) !== undefined && !hosts.includes(wayOf(pod.metadata.name)))
    )
    return decided && found
  })
  for (const pod of states.filter(pod => !isRunning(pod)))
    expect(refusal(pod)).toMatch(/didn't match Pod's node affinity\/selector/)
  return states
    .filter(isRunning)
    .map(({ metadata }) => wayOf(metadata.name))
    .sort()
}

const isRunning = ({ status }: Pod): boolean => status.phase === 'Running'
const refusal = ({ status }: Pod): string | undefined =>
  status.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')?.message

async function emptied({ api }: ControlPlane): Promise<void> {
  await succeeded('end', api('DELETE', `${PODS}?gracePeriodSeconds=0`))
  await eventually(
    'all are gone',
    async () => (await succeeded('pods', api<{ items: readonly Pod[] }>('GET', PODS))).items.length === 0
  )
}
