import { load } from 'js-yaml'
import { beforeAll, describe, expect, test } from 'vitest'
import { OPTIONS } from '../../src/cli/options/all.ts'
import type { Manifest } from '../support/cluster/manifests.ts'
import { dryRun, render } from './kustomize.ts'
import { sharedControlPlane } from './shared.ts'

interface DaemonSet extends Manifest {
  readonly spec: { readonly selector: { readonly matchLabels: object }; readonly template: { readonly spec: PodSpec } }
}

interface PodSpec {
  readonly nodeSelector: object
  readonly tolerations: readonly object[]
  readonly containers: readonly [
    { readonly image: string; readonly securityContext: object; readonly volumeMounts: readonly Mount[] }
  ]
  readonly volumes: readonly {
    readonly name: string
    readonly hostPath?: { readonly path: string }
    readonly configMap?: { readonly name: string }
  }[]
}

interface Mount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
}

const shared = sharedControlPlane()
let added: readonly Manifest[]
let daemonSet: DaemonSet
let config: Manifest

beforeAll(async () => {
  const names = new Set((await render()).map(({ kind, metadata }) => `${kind}/${metadata.name}`))
  added = (await render('fuse-device-plugin')).filter(({ kind, metadata }) => !names.has(`${kind}/${metadata.name}`))
  daemonSet = added.find(({ kind }) => kind === 'DaemonSet') as DaemonSet
  config = added.find(({ kind }) => kind === 'ConfigMap') as Manifest
})

describe('the component fuse-device-plugin', () => {
  test('is a DaemonSet and its settings, and the API server takes both', async () => {
    expect(added.map(({ kind }) => kind).toSorted()).toEqual(['ConfigMap', 'DaemonSet'])
    await dryRun(shared, added)
  })

  test('offers FUSE 50 times and no other device, by a resource that berth knows', () => {
    const { 'conf.yaml': text = '' } = config['data'] as Readonly<Record<string, string>>
    expect(load(text)).toEqual([{ devicematch: '^fuse$', nummaxdevices: 50 }])
    expect(OPTIONS['fuse-resources'].fallback.split(',')).toContain('smarter-devices/fuse')
  })

  test('runs on labelled nodes, tainted ones too, and may write in the folder of device plugins alone', () => {
    const { nodeSelector, tolerations, containers, volumes } = daemonSet.spec.template.spec
    const [{ image, securityContext, volumeMounts }] = containers
    expect(nodeSelector).toEqual({ 'kubernetes.io/os': 'linux', 'smarter-device-manager': 'enabled' })
    expect(tolerations).toEqual([{ operator: 'Exists' }])
    expect(image).toMatch(/:v\d+\.\d+\.\d+$/)
    expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })
    expect(securityContext).not.toHaveProperty('privileged')
    const writable = volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath)
    expect(writable).toEqual(['/var/lib/kubelet/device-plugins'])
    const paths = volumes.flatMap(({ hostPath }) => hostPath?.path ?? [])
    expect(paths).toEqual(['/var/lib/kubelet/device-plugins', '/dev', '/sys'])
    expect(volumes.find(({ configMap }) => configMap)?.configMap?.name).toBe(config.metadata.name)
    expect(Object.keys(daemonSet.spec.template.spec).filter(key => key.startsWith('host'))).toEqual([])
  })

  test("is selected by none of berth's own objects", async () => {
    const agent = (await render()).find(({ kind }) => kind === 'DaemonSet') as DaemonSet
    expect(daemonSet.spec.selector.matchLabels).not.toMatchObject(agent.spec.selector.matchLabels)
  })
})
