import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import { beforeAll, describe, expect, test } from 'vitest'
import { OPTIONS } from '../../src/cli/options/all.ts'
import { BOTTLEROCKET_SETTINGS } from '../../src/commands/template/bottlerocket.ts'
import { BASE, type Manifest } from '../support/cluster/manifests.ts'
import { installKinds } from './kinds.ts'
import { dryRun, renderFrom } from './kustomize.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const OVERLAYS = join(BASE, '../overlays')
const CLOUDS = ['aks', 'bottlerocket', 'eks', 'gke', 'openshift'] as const
const TAINT = { key: OPTIONS['startup-taint'].fallback, effect: 'NoSchedule' }
const read = (path: string) => readFileSync(join(OVERLAYS, path), 'utf8')

/** What the API server knows without its vendor's. */
const common = ({ apiVersion }: Manifest) => !apiVersion.startsWith('security.openshift.io/')

let rendered: Readonly<Record<string, readonly Manifest[]>>
beforeAll(async () => {
  const folders = ['base', ...CLOUDS.map(name => `overlays/${name}`)]
  const [entries] = await Promise.all([
    Promise.all(folders.map(async folder => [folder.replace('overlays/', ''), await renderFrom(folder)] as const)),
    installKinds(shared)
  ])
  rendered = Object.fromEntries(entries)
})

const of = (name: string): readonly Manifest[] => rendered[name] as readonly Manifest[]
const keyOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`
/** The objects of an overlay that are not as the base has them. */
const differing = (name: string) => {
  const before = new Map(of('base').map(one => [keyOf(one), JSON.stringify(one)]))
  return of(name)
    .filter(one => before.get(keyOf(one)) !== JSON.stringify(one))
    .map(keyOf)
}
const daemonSetOf = (objects: readonly Manifest[]) =>
  objects.find(({ kind }) => kind === 'DaemonSet') as unknown as {
    readonly spec: { readonly template: { readonly metadata: object; readonly spec: Pod } }
  }
interface Pod {
  readonly affinity?: unknown
  readonly containers: readonly Readonly<Record<string, unknown>>[]
  readonly volumes: readonly Readonly<Record<string, unknown>>[]
}
const podOf = (name: string) => daemonSetOf(of(name)).spec.template.spec

test('there is an overlay for each cloud, and each is tested', () => {
  expect(readdirSync(OVERLAYS).toSorted()).toEqual([...CLOUDS])
})

describe.each(CLOUDS)('the overlay %s', name => {
  test('has all of the base, and the API server takes it', async () => {
    expect(of(name).map(keyOf)).toEqual(expect.arrayContaining(of('base').map(keyOf)))
    await dryRun(shared, of(name).filter(common))
  })
})

test('differ from the base in what their comments tell, and in nothing else', () => {
  const scc = ['SecurityContextConstraints berth-agent', 'Role berth-agent-scc', 'RoleBinding berth-agent-scc']
  expect(Object.fromEntries(CLOUDS.map(name => [name, differing(name).toSorted()]))).toEqual({
    aks: ['DaemonSet berth'],
    bottlerocket: ['DaemonSet berth'],
    eks: ['DaemonSet berth'],
    gke: [],
    openshift: ['DaemonSet berth', 'Namespace berth', 'NetworkPolicy berth-agent', ...scc].toSorted()
  })
})

test.each([
  ['eks', 'eks.amazonaws.com/compute-type', 'fargate'],
  ['bottlerocket', 'eks.amazonaws.com/compute-type', 'fargate'],
  ['aks', 'type', 'virtual-kubelet']
])('%s keeps the agent off nodes that are no machines', (name, key, value) => {
  const nodeSelectorTerms = [{ matchExpressions: [{ key, operator: 'NotIn', values: [value] }] }]
  expect(podOf(name).affinity).toEqual({
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } }
  })
  const { affinity: _, ...rest } = podOf(name)
  if (name !== 'bottlerocket') expect(rest).toEqual(podOf('base'))
})

test('bottlerocket permits the helper to raise the one limit, and nothing else', () => {
  const { containers } = podOf('bottlerocket')
  const helper = containers.find(one => one['name'] === 'helper')
  expect(containers).toHaveLength(2)
  expect(helper?.['env']).toContainEqual({ name: 'BERTH_PERMIT', value: 'user-namespaces' })
  expect(read('bottlerocket/user-data.toml')).toContain(`${BOTTLEROCKET_SETTINGS.join('\n')}\n`)
  expect(BOTTLEROCKET_SETTINGS).toContain(`"user.max_user_namespaces" = "${OPTIONS['max-user-namespaces'].fallback}"`)
})

describe('openshift', () => {
  const named = (objects: readonly Manifest[], kind: string, name: string) =>
    objects.find(one => one.kind === kind && one.metadata.name === name)

  test('lets the pod be what it asks to be, and no more', () => {
    const constraints = named(of('openshift'), 'SecurityContextConstraints', 'berth-agent') as Manifest
    const [agent, ...others] = podOf('openshift').containers
    expect(others).toEqual([])
    const asked = agent?.['securityContext'] as Readonly<Record<string, unknown>>
    expect(asked['seLinuxOptions']).toEqual({ type: 'spc_t' })
    expect(constraints).toMatchObject({
      runAsUser: { type: 'MustRunAs', uid: asked['runAsUser'] },
      seLinuxContext: { type: 'MustRunAs', seLinuxOptions: asked['seLinuxOptions'] },
      readOnlyRootFilesystem: asked['readOnlyRootFilesystem'],
      allowPrivilegeEscalation: asked['allowPrivilegeEscalation'],
      allowPrivilegedContainer: asked['privileged'],
      requiredDropCapabilities: ['ALL'],
      allowHostDirVolumePlugin: true,
      seccompProfiles: ['runtime/default'],
      ...{ allowHostPID: false, allowHostNetwork: false, allowHostIPC: false, allowHostPorts: false, allowedCapabilities: null }
    })
    const kinds = podOf('openshift').volumes.map(volume => Object.keys(volume).find(key => key !== 'name'))
    expect(constraints['volumes']).toEqual([...new Set(kinds)])
  })

  test('grants them to the account of the agent, which the pod then requires', () => {
    const rules = named(of('openshift'), 'Role', 'berth-agent-scc')?.['rules']
    const [apiGroups, resources] = [['security.openshift.io'], ['securitycontextconstraints']]
    expect(rules).toEqual([{ apiGroups, resources, resourceNames: ['berth-agent'], verbs: ['use'] }])
    expect(daemonSetOf(of('openshift')).spec.template.metadata).toMatchObject({
      annotations: { 'openshift.io/required-scc': 'berth-agent' }
    })
  })

  test('with the helper, the pod requires what a privileged container needs', async () => {
    const objects = await renderFrom('overlays/openshift', 'helper', 'openshift-privileged')
    expect(daemonSetOf(objects).spec.template.metadata).toMatchObject({
      annotations: { 'openshift.io/required-scc': 'privileged' }
    })
    expect(named(objects, 'RoleBinding', 'berth-privileged-scc')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: 'system:openshift:scc:privileged' }
    })
    await dryRun(shared, objects.filter(common))
  })
})

describe('what node pools declare', () => {
  test('Karpenter knows the startup taint as one that goes, and its own definition takes the pool', async () => {
    const pool = load(read('eks/karpenter.yaml')) as Manifest
    expect(pool).toMatchObject({ spec: { template: { spec: { startupTaints: [{ ...TAINT, value: 'true' }] } } } })
    await dryRun(shared, [pool])
  })

  test.each([
    ['gke/kustomization.yaml', `--node-taints ${TAINT.key}=true:NoSchedule`],
    ['aks/kustomization.yaml', `--nodepool-initialization-taints ${TAINT.key}=true:NoSchedule`],
    ['bottlerocket/user-data.toml', `"${TAINT.key}" = ["true:NoSchedule"]`],
    ['eks/node-group.eksctl.yaml', `node-template/taint/${TAINT.key}: 'true:NoSchedule'`]
  ])('%s names the taint that the agent removes', (path, line) => {
    expect(read(path)).toContain(line)
  })

  test('node groups of eksctl are started with it, managed and self-managed alike', () => {
    const [cluster] = loadAll(read('eks/node-group.eksctl.yaml')) as Readonly<Record<string, readonly Manifest[]>>[]
    for (const kind of ['managedNodeGroups', 'nodeGroups']) {
      for (const group of cluster?.[kind] ?? []) expect(group['taints']).toEqual([{ ...TAINT, value: 'true' }])
      expect(cluster?.[kind]).toHaveLength(1)
    }
  })
})
