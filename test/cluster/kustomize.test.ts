import { beforeAll, describe, expect, test } from 'vitest'
import { AGENT, type Manifest } from '../support/cluster/manifests.ts'
import { dryRun, render } from './kustomize.ts'
import { sharedControlPlane } from './shared.ts'

interface Container {
  readonly name: string
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly volumeMounts: readonly Readonly<Record<string, unknown>>[]
  readonly ports?: unknown
  readonly env: readonly { readonly name: string; readonly value?: string }[]
}

interface PodSpec {
  readonly containers: readonly Container[]
  readonly volumes: readonly Readonly<Record<string, unknown>>[]
}

interface Rendered {
  readonly objects: readonly Manifest[]
  readonly pod: PodSpec
  readonly named: (name: string) => Container
}

const shared = sharedControlPlane()
let plain: Rendered
let helped: Rendered

beforeAll(async () => {
  plain = await rendered()
  helped = await rendered('helper')
}, 600_000)

async function rendered(...components: readonly string[]): Promise<Rendered> {
  const objects = await render(...components)
  const [daemonSet, ...others] = objects.filter(({ kind }) => kind === 'DaemonSet')
  expect(others).toEqual([])
  const pod = (daemonSet as unknown as { readonly spec: { readonly template: { readonly spec: PodSpec } } }).spec.template.spec
  return { objects, pod, named: name => pod.containers.find(one => one.name === name) as Container }
}

const host = { name: 'host', mountPath: '/host', mountPropagation: 'HostToContainer' }
/** What the agent sees of the node, each by its own path, and how the kubelet takes it where it is missing. */
const SEEN = {
  '/dev': 'Directory',
  '/etc': 'Directory',
  '/lib': 'DirectoryOrCreate',
  '/proc/1/mountinfo': 'File',
  '/run/modprobe.d': 'DirectoryOrCreate',
  '/sys': 'Directory',
  '/usr': 'Directory'
} as const
const token = { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }
const handover = { name: 'handover', mountPath: '/run/berth' }
const sorted = (mounts: readonly Readonly<Record<string, unknown>>[]) =>
  mounts.toSorted((a, b) => `${a['name']}`.localeCompare(`${b['name']}`))
/** Of a pod, whatever would let it out of its own namespaces. */
const doors = ({ pod }: Rendered) => Object.keys(pod).filter(key => /^host|^shareProcess|^initContainers|^ephemeral/.test(key))

describe('the base', () => {
  test('runs nobody, who may do nothing, and sees the node read-only', () => {
    expect(plain.pod.containers.map(({ name }) => name)).toEqual(['agent'])
    expect(doors(plain)).toEqual([])
    expect(plain.named('agent').securityContext).toEqual({
      ...{ runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532 },
      ...{ privileged: false, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }
    })
    const ofNode = ({ pod, named }: Rendered) =>
      pod.volumes.flatMap(({ name, hostPath }) => {
        const mounts = named('agent').volumeMounts.filter(mount => mount['name'] === name)
        return hostPath === undefined ? [] : [{ hostPath, mounts: mounts.map(({ name: _, ...mount }) => mount) }]
      })
    expect(ofNode(plain).toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual(
      Object.entries(SEEN).map(([path, type]) => ({
        hostPath: { path, type },
        mounts: [{ mountPath: `/host${path}`, readOnly: true, recursiveReadOnly: 'IfPossible' }]
      }))
    )
    expect(plain.named('agent').volumeMounts).toContainEqual(token)
    expect(plain.named('agent').volumeMounts.length).toBe(Object.keys(SEEN).length + 1)
    expect(plain.pod.volumes.length).toBe(Object.keys(SEEN).length + 1)
  })

  test('gives a token to the agent alone, of the account that the policy holds, and a Node to stand for', () => {
    expect(plain.pod).toMatchObject({ serviceAccountName: AGENT.serviceAccount, automountServiceAccountToken: false })
    const name = { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }
    for (const container of helped.pod.containers) expect(container.env).toContainEqual(name)
  })
})

describe('the component helper', () => {
  test('adds a privileged container with the mounts that it needs, and neither a token nor a port', () => {
    const { securityContext, volumeMounts, ports, env } = helped.named('helper')
    expect(helped.pod.containers.map(({ name }) => name)).toEqual(['agent', 'helper'])
    expect(securityContext).toMatchObject({ privileged: true, runAsUser: 0 })
    expect(sorted(volumeMounts)).toEqual([handover, host, { name: 'scratch', mountPath: '/tmp' }])
    expect(ports).toBeUndefined()
    expect(env).toContainEqual({ name: 'BERTH_PERMIT', value: '' })
    expect(doors(helped)).toEqual([])
  })

  test('adds its file to what the agent may read, and changes nothing else', () => {
    const { volumeMounts, ...agent } = helped.named('agent')
    const { volumeMounts: before, ...same } = plain.named('agent')
    expect(agent).toEqual(same)
    expect(sorted(volumeMounts)).toEqual([{ ...handover, readOnly: true }, ...sorted(before)])
    const added = [
      { name: 'host', hostPath: { path: '/', type: 'Directory' } },
      { name: 'handover', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'scratch', emptyDir: { sizeLimit: '64Mi' } }
    ]
    expect(sorted(helped.pod.volumes)).toEqual(sorted([...plain.pod.volumes, ...added]))
    const { containers: _, volumes: __, ...pod } = helped.pod
    expect(plain.pod).toMatchObject(pod)
    const rest = ({ objects }: Rendered) => objects.filter(({ kind }) => kind !== 'DaemonSet')
    expect(rest(helped)).toEqual(rest(plain))
  })
})

test('the API server takes all of it, every field by its name', () => dryRun(shared, [...plain.objects, ...helped.objects]))

test('and not recursiveReadOnly for what the node mounts later: only components have that', async () => {
  const [daemonSet] = plain.objects.filter(({ kind }) => kind === 'DaemonSet')
  const both = JSON.parse(
    JSON.stringify(daemonSet).replace(
      '"recursiveReadOnly":"IfPossible"',
      '"recursiveReadOnly":"IfPossible","mountPropagation":"HostToContainer"'
    )
  )
  await expect(dryRun(shared, [both])).rejects.toThrow(/recursiveReadOnly: Forbidden/)
})

test.each([
  ['sysbox', { '/host/opt': undefined, '/host/var/lib': 'HostToContainer' }],
  ['gpu-operator', { '/host/run/nvidia': 'HostToContainer' }],
  ['ostree', { '/host/var/usrlocal': undefined }]
])('the component %s lets the agent see more of the node, read-only, and changes nothing else', async (name, mounts) => {
  const more = await rendered(name)
  const { volumeMounts, ...agent } = more.named('agent')
  const { volumeMounts: before, ...same } = plain.named('agent')
  expect(agent).toEqual(same)
  const added = volumeMounts.filter(mount => !before.some(({ name }) => name === mount['name']))
  expect(added.length + before.length).toBe(volumeMounts.length)
  expect(added.map(({ readOnly }) => readOnly)).not.toContain(undefined)
  expect(Object.fromEntries(added.map(({ mountPath, mountPropagation }) => [mountPath, mountPropagation]))).toEqual(mounts)
  const { volumes: _, containers: __, ...pod } = more.pod
  expect(plain.pod).toMatchObject(pod)
  await dryRun(shared, more.objects)
})

test('the component devices adds a container of root without a capability, a token or a port, which writes in one directory', async () => {
  const more = await rendered('devices')
  expect(more.pod.containers.map(({ name }) => name).toSorted()).toEqual(['agent', 'devices'])
  expect(doors(more)).toEqual([])
  expect(more.named('agent')).toEqual(plain.named('agent'))
  const { securityContext, volumeMounts, ports } = more.named('devices')
  expect(securityContext).toEqual({
    ...{ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
    ...{ runAsNonRoot: false, runAsUser: 0, runAsGroup: 0 }
  })
  expect(ports).toBeUndefined()
  expect(sorted(volumeMounts)).toEqual([
    { name: 'device-plugins', mountPath: '/var/lib/kubelet/device-plugins' },
    { name: 'node-dev', mountPath: '/host/dev', readOnly: true, recursiveReadOnly: 'IfPossible' }
  ])
  await dryRun(shared, more.objects)
})
