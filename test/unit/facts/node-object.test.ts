import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { detectNode } from '../../../src/facts/node.ts'
import { parseNode } from '../../../src/facts/node-object.ts'
import { detect } from './replay.ts'

const EKS = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'ip-10-0-33-51.us-west-2.compute.internal',
    labels: { 'kubernetes.io/arch': 'amd64' },
    annotations: { a: 'b' }
  },
  spec: {
    providerID: 'aws:///us-west-2a/i-0123',
    taints: [
      { key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' },
      { key: 'x', effect: 'NoExecute' }
    ]
  },
  status: {
    allocatable: {
      cpu: '3920m',
      memory: '15Gi',
      pods: '58',
      'nvidia.com/gpu': '1',
      'smarter-devices/fuse': '20',
      'amd.com/gpu': '0',
      'x/y': 4,
      'devices.kubevirt.io/kvm': '1k'
    },
    runtimeHandlers: [
      { name: '', features: { recursiveReadOnlyMounts: true, userNamespaces: true } },
      { name: 'runc', features: {} },
      { name: 'sysbox-runc' },
      { name: 'kata', features: { userNamespaces: false } }
    ],
    nodeInfo: {
      containerRuntimeVersion: 'containerd://1.7.27',
      kubeletVersion: 'v1.33.4-eks-99d6cc0',
      runningInUserNamespace: false
    }
  }
}

describe('a Node', () => {
  test('has only the fields that berth needs', () => {
    expect(parseNode(EKS)).toEqual({
      name: 'ip-10-0-33-51.us-west-2.compute.internal',
      labels: { 'kubernetes.io/arch': 'amd64' },
      annotations: { a: 'b' },
      providerId: 'aws:///us-west-2a/i-0123',
      taints: [
        { key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' },
        { key: 'x', value: '', effect: 'NoExecute' }
      ],
      allocatable: { 'nvidia.com/gpu': 1, 'smarter-devices/fuse': 20, 'x/y': 4, 'devices.kubevirt.io/kvm': 1000 },
      runtimeHandlers: ['', 'runc', 'sysbox-runc', 'kata'],
      userNamespaceHandlers: { '': true, kata: false },
      containerRuntime: 'containerd://1.7.27',
      kubelet: 'v1.33.4-eks-99d6cc0',
      runningInUserNamespace: false
    })
  })

  test('without fields is empty, and has undefined runtime handlers', () => {
    expect(parseNode({ kind: 'Node', metadata: { name: 'a' } })).toEqual({
      name: 'a',
      labels: {},
      annotations: {},
      providerId: '',
      taints: [],
      allocatable: {},
      runtimeHandlers: undefined,
      userNamespaceHandlers: {},
      containerRuntime: '',
      kubelet: '',
      runningInUserNamespace: undefined
    })
  })

  test.each([
    ['a word', { name: '', features: { userNamespaces: 'true' } }],
    ['a number', { name: '', features: { userNamespaces: 1 } }],
    ['null', { name: '', features: { userNamespaces: null } }],
    ['a list of features', { name: '', features: [{ userNamespaces: true }] }],
    ['no features', { name: '' }],
    ['a handler without a name', { features: { userNamespaces: true } }],
    ['a handler whose name is a number', { name: 0, features: { userNamespaces: true } }],
    ['a text', 'runc'],
    ['nothing', null]
  ])('with %s for a handler says nothing about user namespaces', (_, handler) => {
    const status = { runtimeHandlers: [handler] }
    expect(parseNode({ kind: 'Node', metadata: { name: 'a' }, status }).userNamespaceHandlers).toEqual({})
  })

  test.each(['true', 1, null, {}])('does not say whether the kubelet runs in a user namespace with %j there', found => {
    const status = { nodeInfo: { runningInUserNamespace: found } }
    expect(parseNode({ kind: 'Node', metadata: { name: 'a' }, status }).runningInUserNamespace).toBeUndefined()
  })

  test.each([
    ['half a GPU', { 'nvidia.com/gpu': '500m' }],
    ['a word', { 'nvidia.com/gpu': 'many' }],
    ['less than none', { 'nvidia.com/gpu': '-1' }],
    ['a list', { 'nvidia.com/gpu': ['1'] }],
    ['nothing', { 'nvidia.com/gpu': null }],
    ['an empty text', { 'nvidia.com/gpu': '' }],
    ['too many', { 'nvidia.com/gpu': '1e30' }],
    ['a suffix alone', { 'nvidia.com/gpu': 'k' }],
    ['bytes', { 'nvidia.com/gpu': '1Ki' }]
  ])('that offers %s offers none', (_, allocatable) => {
    expect(parseNode({ kind: 'Node', metadata: { name: 'a' }, status: { allocatable } }).allocatable).toEqual({})
  })

  test.each([
    ['nothing', undefined, 'kind is undefined'],
    ['null', null, 'kind is undefined'],
    ['a text', 'Node', 'kind is undefined'],
    ['a list', [EKS], 'kind is undefined'],
    ['a list of Nodes', { kind: 'NodeList', items: [EKS] }, 'kind is "NodeList", expected "Node"'],
    ['a Pod', { kind: 'Pod', metadata: { name: 'a' } }, 'kind is "Pod"'],
    ['a Node without a name', { kind: 'Node', metadata: {} }, 'metadata.name is missing'],
    ['a Node without metadata', { kind: 'Node' }, 'metadata.name is missing'],
    ['a Node with a number for a name', { kind: 'Node', metadata: { name: 5 } }, 'metadata.name is missing'],
    ['a Node with an empty name', { kind: 'Node', metadata: { name: '' } }, 'metadata.name is missing']
  ])('is not made of %s', (_, value, why) => {
    expect(() => parseNode(value)).toThrow(why)
  })

  test('is never made of another kind, and its fields always have the right type', () => {
    fc.assert(
      fc.property(fc.anything(), value => {
        expect(() => parseNode(value)).toThrow(Error)
      })
    )
    const part = fc.anything({ withNullPrototype: true })
    fc.assert(
      fc.property(
        fc.record({ labels: part, annotations: part }),
        fc.record({ providerID: part, taints: part }),
        fc.record({ allocatable: part, runtimeHandlers: part, nodeInfo: part }),
        (metadata, spec, status) => {
          const node = parseNode({ kind: 'Node', metadata: { ...metadata, name: 'a' }, spec, status })
          for (const text of [
            ...Object.values(node.labels),
            ...Object.values(node.annotations),
            node.providerId,
            node.kubelet,
            ...(node.runtimeHandlers ?? [])
          ]) {
            expect(typeof text).toBe('string')
          }
          for (const count of Object.values(node.allocatable)) expect(count).toBeGreaterThan(0)
        }
      )
    )
  })

  test('is known only if it was given', async () => {
    const node = parseNode(EKS)
    expect(await detect(detectNode, {}, { node })).toEqual({ value: node })
    expect(await detect(detectNode, {})).toEqual({ unsure: expect.stringContaining('--node FILE') })
  })
})
