import { describe, expect, test } from 'vitest'
import { asksForCvm } from '../../../src/kubernetes/cvm-claims.ts'
import { nfsOfClass, nfsOfVolume } from '../../../src/kubernetes/nfs.ts'
import { injectionSign } from '../../../src/kubernetes/sidecar-injectors.ts'

describe('a StorageClass', () => {
  test.each([
    ['nfs.csi.k8s.io', {}],
    ['kubernetes.io/nfs', {}],
    ['k8s-sigs.io/nfs-subdir-external-provisioner', {}],
    ['cluster.local/nfs-client-provisioner', {}],
    ['efs.csi.aws.com', { provisioningMode: 'efs-ap' }],
    ['filestore.csi.storage.gke.io', {}],
    ['fsx.openzfs.csi.aws.com', {}],
    ['file.csi.azure.com', { skuName: 'Premium_LRS', protocol: 'nfs' }],
    ['file.csi.azure.com', { Protocol: 'NFS' }],
    ['blob.csi.azure.com', { protocol: 'nfsv3' }]
  ])('of %s with %j is on NFS', (provisioner, parameters) => {
    expect(nfsOfClass({ metadata: { name: 'c' }, provisioner, parameters } as never)).toBe(`StorageClass c of ${provisioner}`)
  })

  test.each([
    ['ebs.csi.aws.com', { type: 'gp3' }],
    ['pd.csi.storage.gke.io', {}],
    ['disk.csi.azure.com', {}],
    ['file.csi.azure.com', {}],
    ['file.csi.azure.com', { protocol: 'smb' }],
    ['rancher.io/local-path', {}],
    ['fsx.csi.aws.com', {}],
    ['example.com/confsync', {}],
    ['example.com/disk', { note: 'nfs' }]
  ])('of %s with %j is not', (provisioner, parameters) => {
    expect(nfsOfClass({ metadata: { name: 'c' }, provisioner, parameters } as never)).toBe('')
  })
})

describe('a PersistentVolume', () => {
  test.each([
    [{ nfs: { server: 'filer', path: '/x' } }, 'PersistentVolume v of filer'],
    [{ csi: { driver: 'efs.csi.aws.com', volumeHandle: 'fs' } }, 'PersistentVolume v of efs.csi.aws.com'],
    [
      { csi: { driver: 'file.csi.azure.com', volumeHandle: 'x', volumeAttributes: { protocol: 'nfs' } } },
      'PersistentVolume v of file.csi.azure.com'
    ],
    [{ csi: { driver: 'file.csi.azure.com', volumeHandle: 'x' } }, ''],
    [{ local: { path: '/nfs' } }, '']
  ])('%j: %j', (spec, says) => {
    expect(nfsOfVolume({ metadata: { name: 'v' }, spec } as never)).toBe(says)
  })
})

describe('a Pod asks for a CVM', () => {
  const byTerm = (operator: string, ...values: readonly string[]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'berth.dev/cached-cvm', operator, values }] }]
        }
      }
    }
  })

  test.each([
    ['by its node selector', { nodeSelector: { 'berth.dev/cvm': 'true' } }, true],
    ['with a GPU', { nodeSelector: { 'berth.dev/gpu-cvm': 'true' } }, true],
    ['by its node affinity', byTerm('In', 'true'), true],
    ['not by avoiding it', byTerm('NotIn', 'true'), false],
    ['not by another value', { nodeSelector: { 'berth.dev/cvm': 'false' } }, false],
    ['not by another prefix', { nodeSelector: { 'example.com/cvm': 'true' } }, false],
    ['not by another capability', { nodeSelector: { 'berth.dev/podman': 'true' } }, false]
  ])('%s', (_, spec, answer) => {
    expect(asksForCvm({ spec } as never, 'berth.dev')).toBe(answer)
  })
})

describe('a namespace asks for a proxy', () => {
  test.each([
    [{ labels: { 'istio-injection': 'enabled' } }, 'istio-injection=enabled'],
    [{ labels: { 'istio.io/rev': 'canary' } }, 'istio.io/rev=canary'],
    [{ labels: { 'istio-injection': 'disabled', 'istio.io/rev': 'canary' } }, ''],
    [{ labels: { 'istio.io/rev': '' } }, ''],
    [{ annotations: { 'linkerd.io/inject': 'enabled' } }, 'linkerd.io/inject=enabled'],
    [{ annotations: { 'linkerd.io/inject': 'disabled' } }, ''],
    [{ labels: { team: 'a' } }, ''],
    [{}, '']
  ])('%j: %j', (metadata, sign) => {
    expect(injectionSign(metadata)).toBe(sign)
  })
})
