import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parseConfig } from '../../src/cli/config.ts'
import { runDoctor } from '../../src/commands/doctor.ts'
import type { Finding } from '../../src/report/findings.ts'
import { succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { AGENT, applyManifests } from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'

// Webhooks and Pods are made here that other test files do not expect.
let plane: ControlPlane
let own: string
const node = 'doctor-node'
const core = '/api/v1/namespaces'
const webhooks = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'

beforeAll(async () => {
  plane = await startControlPlane({ release: inject('release') })
  await applyManifests(plane)
  await createNode(plane, realisticNode(node))
  const cluster = { server: plane.url, 'certificate-authority': plane.caFile }
  const user = { token: await plane.tokenFor({ ...AGENT, nodeName: node }) }
  own = await writeKubeconfig(plane.directory, { cluster, user })
  for (const name of ['quiet', 'meshed', 'disks']) {
    const labels = name === 'meshed' ? { 'istio.io/rev': 'canary' } : {}
    await make(core, { kind: 'Namespace', metadata: { name, labels } })
    await make(`${core}/${name}/serviceaccounts`, { kind: 'ServiceAccount', metadata: { name: 'default' } })
  }
})
afterAll(() => plane?.close())

const make = (path: string, object: { readonly kind: string; readonly [field: string]: unknown }): Promise<unknown> =>
  succeeded(object.kind, plane.api('POST', path, { apiVersion: path.replace(/^\/apis?\/((?:[^/]+\/)?v1)\/.*/, '$1'), ...object }))

/** What doctor says of one check. */
async function ask(check: string, kubeconfig: string, ...more: readonly string[]): Promise<Finding | undefined> {
  const printed: string[] = []
  const argv = ['doctor', '--kubeconfig', kubeconfig, '--node-name', node, '--listen', '127.0.0.1:1', '--format', 'json', ...more]
  const clock = { elapsed: () => performance.now(), now: () => new Date() }
  const world = { sleep: async () => undefined, random: () => 0, connection: {} }
  await runDoctor(parseConfig(argv, {}, {}), { print: piece => printed.push(piece), clock }, world)
  return (JSON.parse(printed.join('')) as readonly Finding[]).find(finding => finding.check === check)
}

const IN = (namespace: string) => ['--workspace-namespace', namespace] as const

describe('sidecars', () => {
  test('are none where no webhook makes them, and seen when one comes', async () => {
    expect(await ask('sidecars', plane.kubeconfig, ...IN('quiet'))).toMatchObject({ answer: 'ok', cautions: [] })
    for (const name of ['istio-sidecar-injector-canary', 'linkerd-proxy-injector-webhook-config', 'example-injector']) {
      await make(webhooks, { kind: 'MutatingWebhookConfiguration', metadata: { name } })
    }
    const seen = await ask('sidecars', plane.kubeconfig, ...IN('meshed'))
    expect(seen?.answer).toBe('ok')
    expect(seen?.cautions).toEqual([
      expect.stringMatching(/^istio-sidecar-injector-canary, linkerd-proxy-injector-webhook-config: CVMs do not support/),
      expect.stringContaining('"meshed" has istio.io/rev=canary')
    ])
    expect((await ask('sidecars', plane.kubeconfig))?.cautions).toHaveLength(1)
  })

  test('of a namespace that is not there are not known', async () => {
    const found = await ask('sidecars', plane.kubeconfig, ...IN('nowhere'))
    expect(found).toMatchObject({ answer: 'unknown', saw: expect.stringContaining('check --workspace-namespace') })
  })

  test('are not checked with credentials that may not list webhooks, which are named', async () => {
    expect(await ask('sidecars', own)).toMatchObject({
      answer: 'unknown',
      saw: 'not checked: these credentials may not list mutatingwebhookconfigurations'
    })
  })
})

describe('volumes', () => {
  const claim = (name: string, storageClassName: string) =>
    make(`${core}/disks/persistentvolumeclaims`, {
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50G' } }, storageClassName }
    })
  const pod = (name: string, capability: string, volumes: readonly object[]) =>
    make(`${core}/disks/pods`, {
      kind: 'Pod',
      metadata: { name },
      spec: {
        nodeSelector: { [`berth.dev/${capability}`]: 'true' },
        containers: [{ name: 'dev', image: 'example' }],
        volumes: volumes.map((volume, index) => ({ name: `v${index}`, ...volume }))
      }
    })
  const claimed = (claimName: string) => ({ persistentVolumeClaim: { claimName } })

  beforeAll(async () => {
    const classes = '/apis/storage.k8s.io/v1/storageclasses'
    await make(classes, { kind: 'StorageClass', metadata: { name: 'block' }, provisioner: 'ebs.csi.aws.com' })
    await make(classes, { kind: 'StorageClass', metadata: { name: 'shared' }, provisioner: 'efs.csi.aws.com' })
    await make('/api/v1/persistentvolumes', {
      kind: 'PersistentVolume',
      metadata: { name: 'by-hand' },
      spec: { capacity: { storage: '50G' }, accessModes: ['ReadWriteOnce'], nfs: { server: 'filer', path: '/x' } }
    })
    await claim('fine', 'block')
    await claim('wrong', 'shared')
    await claim('of-others', 'shared')
    await claim('also-wrong-v0', 'shared')
    // As the controller would bind it.
    await make(`${core}/disks/persistentvolumeclaims`, {
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'bound' },
      spec: {
        ...{ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50G' } } },
        ...{ storageClassName: '', volumeName: 'by-hand' }
      }
    })
  })

  test('of Pods that ask for CVMs are told when they lie on NFS, and those of others are not', async () => {
    expect(await ask('volumes', plane.kubeconfig)).toMatchObject({
      answer: 'ok',
      saw: 'no Pod that asks for a CVM has a volume claim'
    })
    await pod('one', 'cvm', [claimed('fine'), claimed('wrong')])
    await pod('two', 'cached-cvm', [claimed('bound'), { emptyDir: {} }])
    await pod('three', 'podman', [claimed('of-others')])
    const template = {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50G' } }, storageClassName: 'shared' }
    }
    await pod('also-wrong', 'cvm', [{ ephemeral: { volumeClaimTemplate: template } }])
    for (const more of [[], IN('disks')]) {
      const found = await ask('volumes', plane.kubeconfig, ...more)
      expect(found).toMatchObject({ answer: 'ok', saw: expect.stringMatching(/: 4, on NFS: 3$/) })
      const [caution = '', ...others] = found?.cautions ?? []
      expect(others).toEqual([])
      expect(caution).toContain('disks/bound (PersistentVolume by-hand of filer)')
      expect(caution).toContain('disks/wrong (StorageClass shared of efs.csi.aws.com)')
      expect(caution).toContain('disks/also-wrong-v0 (')
      expect(caution).not.toMatch(/of-others|fine/)
    }
    expect((await ask('volumes', plane.kubeconfig, ...IN('quiet')))?.saw).toBe(
      'no Pod that asks for a CVM has a volume claim in the Namespace "quiet"'
    )
  })

  test('are not checked with credentials that may not list Pods', async () => {
    const saw = 'not checked: these credentials may not list pods'
    expect(await ask('volumes', own)).toMatchObject({ answer: 'unknown', saw })
    expect(await ask('volumes', own, ...IN('disks'))).toMatchObject({ saw: `${saw} in the Namespace "disks"` })
  })
})
