import { load } from 'js-yaml'
import { beforeAll, describe, expect, test } from 'vitest'
import { poolAdvice } from '../../../src/fleet/autoscaler.ts'
import type { V1Node } from '../../../src/kubernetes/models.ts'
import { agentNode, type Circumstances, fleetOf, formatFleet, recordedFleet } from '../../support/recorded-fleet.ts'

const STARTUP = 'startup-taint.cluster-autoscaler.kubernetes.io/berth'
const LONG_AGO = new Date('2026-10-01T00:00:00.000Z')

const adviceOf = (nodes: readonly V1Node[]) => {
  const fleet = fleetOf(nodes)
  return fleet.pools.map(pool => poolAdvice(pool, fleet, STARTUP))
}

/** Nodes `a`, `b`, … of one pool, on these machines. */
const pool = (label: string, ...machines: readonly (readonly [machine: string, more?: Circumstances])[]) =>
  Promise.all(
    machines.map(([machine, more], index) => agentNode(String.fromCharCode(97 + index), machine, { pool: [label, 'p'], ...more }))
  )

const GKE = 'cloud.google.com/gke-nodepool'
const UBUNTU = 'eks-ubuntu-22.04'
const said = (nodes: readonly V1Node[]) => formatFleet(nodes, ['--autoscaler']).replace(/\s+/g, ' ')

describe('the labels that a pool should declare', () => {
  test('are those that every node has proved', async () => {
    const [advice] = adviceOf(await pool(GKE, [UBUNTU], [UBUNTU]))
    expect(advice).toMatchObject({
      nodes: 2,
      proved: 2,
      labels: { 'berth.dev/cvm': 'true', 'berth.dev/podman': 'true' },
      disagreements: []
    })
    expect(Object.keys(advice?.labels ?? {})).toHaveLength(2)
  })

  test('exclude a label that is false on some nodes, and these nodes are named', async () => {
    const nodes = await pool(GKE, [UBUNTU], ['bottlerocket-fresh'], [UBUNTU])
    const [advice] = adviceOf(nodes)
    expect(advice?.labels).toEqual({})
    expect(advice?.disagreements).toEqual([
      { capability: 'cvm', can: ['a', 'c'], cannot: ['b'], open: [] },
      { capability: 'podman', can: ['a', 'c'], cannot: ['b'], open: [] }
    ])
    expect(said(nodes)).toContain('warning: its nodes disagree on podman: 2 can (a, c), 1 cannot (b).')
  })

  test('exclude a label that is unknown or missing on one of the nodes', async () => {
    const [first, second, third] = await pool(GKE, [UBUNTU], [UBUNTU], [UBUNTU])
    const open = (node: V1Node | undefined, value: string | undefined): V1Node => {
      const { 'berth.dev/cvm': _, ...rest } = node?.metadata?.labels ?? {}
      return {
        ...node,
        metadata: { ...node?.metadata, labels: value === undefined ? rest : { ...rest, 'berth.dev/cvm': value } }
      }
    }
    const nodes = [first as V1Node, open(second, 'unknown'), open(third, undefined)]
    const [advice] = adviceOf(nodes)
    expect(advice?.labels).toEqual({ 'berth.dev/podman': 'true' })
    expect(advice?.disagreements).toEqual([{ capability: 'cvm', can: ['a'], cannot: [], open: ['b', 'c'] }])
    expect(said(nodes)).toContain('1 can (a), 2 unknown (b, c).')
  })

  test.each<[string, Circumstances]>([
    ['without heartbeat', { heartbeat: LONG_AGO }],
    ['not observing since the boot', { isRebooted: true }]
  ])('ignore a node whose agent is %s', async (_, circumstances) => {
    const nodes = await pool(GKE, [UBUNTU], ['bottlerocket-fresh', circumstances])
    const [advice] = adviceOf(nodes)
    expect(advice).toMatchObject({ nodes: 2, proved: 1, disagreements: [] })
    expect(said(nodes)).toContain('1 node left out: ')
    expect(said(await pool(GKE, [UBUNTU, circumstances]))).toContain(
      'Nothing is proved yet: start one node of this pool, then run this command again.'
    )
  })
})

describe('taints', () => {
  const GPU = { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' } as const

  test('are those that all nodes carry permanently', async () => {
    const passing = [
      { key: STARTUP, effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
      { key: 'node.cloudprovider.kubernetes.io/uninitialized', effect: 'NoSchedule' },
      { key: 'ToBeDeletedByClusterAutoscaler', value: '1700000000', effect: 'NoSchedule' },
      { key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }
    ] as const
    const one = { key: 'example.com/one', effect: 'NoSchedule' } as const
    const taints = [...passing, GPU]
    const [advice] = adviceOf(await pool(GKE, [UBUNTU, { taints: [...taints, one] }], [UBUNTU, { taints }]))
    expect(advice?.taints).toEqual([GPU])
    expect(advice?.startupTaint).toEqual({ key: STARTUP, effect: 'NoSchedule' })
  })

  test.each([
    'readiness.k8s.io/berth',
    'readiness.k8s.io/gke-network',
    'node.cilium.io/agent-not-ready',
    'ebs.csi.aws.com/agent-not-ready',
    'efs.csi.aws.com/agent-not-ready',
    'fsx.csi.aws.com/agent-not-ready',
    'fsx.openzfs.csi.aws.com/agent-not-ready',
    's3.csi.aws.com/agent-not-ready',
    'disk.csi.azure.com/agent-not-ready',
    'azurelustre.csi.azure.com/agent-not-ready',
    'cni.istio.io/not-ready',
    'node.cluster.x-k8s.io/uninitialized',
    'node.cluster.x-k8s.io/outdated-revision',
    'sysbox-runtime'
  ])('of a component that is still starting are left out: %s', async key => {
    const taints = [{ key, value: 'not-running', effect: 'NoSchedule' }, GPU] as const
    expect(adviceOf(await pool(GKE, [UBUNTU, { taints }]))[0]?.taints).toEqual([GPU])
  })

  test.each([
    'sysbox-runtime-only',
    'example.com/sysbox-runtime',
    'example.com/not-ready',
    'agent-not-ready',
    'myreadiness.k8s.io/x',
    'example.com/readiness.k8s.io',
    'node.cluster.x-k8s.io/pool'
  ])('of others with a similar key are included: %s', async key => {
    const taints = [{ key, value: '', effect: 'NoSchedule' }] as const
    expect(adviceOf(await pool(GKE, [UBUNTU, { taints }]))[0]?.taints).toEqual(taints)
  })

  test('with another value or effect are different taints', async () => {
    for (const other of [
      { ...GPU, value: 'absent' },
      { ...GPU, effect: 'NoExecute' as const }
    ])
      expect(adviceOf(await pool(GKE, [UBUNTU, { taints: [GPU] }], [UBUNTU, { taints: [other] }]))[0]?.taints).toEqual([])
  })
})

describe('the instructions', () => {
  const GPU = { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' } as const

  test('of EKS are tags of the cluster-autoscaler', async () => {
    const text = formatFleet(await pool('eks.amazonaws.com/nodegroup', [UBUNTU, { taints: [GPU] }]), ['--autoscaler'])
    expect(text.match(/^ {4}\S.*$/gm)).toEqual([
      '    k8s.io/cluster-autoscaler/node-template/label/berth.dev/cvm = true',
      '    k8s.io/cluster-autoscaler/node-template/label/berth.dev/podman = true',
      '    k8s.io/cluster-autoscaler/node-template/taint/nvidia.com/gpu = present:NoSchedule',
      `    ${STARTUP}:NoSchedule`
    ])
  })

  test('of Karpenter are YAML that goes into a NodePool', async () => {
    const text = formatFleet(await pool('karpenter.sh/nodepool', [UBUNTU, { taints: [GPU] }]), ['--autoscaler'])
    const yaml = text.slice(text.indexOf('    spec:'), text.indexOf('  New nodes'))
    expect(load(yaml)).toEqual({
      spec: {
        template: {
          spec: {
            requirements: ['berth.dev/cvm', 'berth.dev/podman'].map(key => ({ key, operator: 'In', values: ['true'] })),
            startupTaints: [{ key: STARTUP, effect: 'NoSchedule' }],
            taints: [GPU]
          }
        }
      }
    })
  })

  test.each([
    [
      GKE,
      'GKE node pool p, 1 node Labels of the pool, in addition to those it declares: berth.dev/cvm=true berth.dev/podman=true'
    ],
    [GKE, 'Taints of the pool: nvidia.com/gpu=present:NoSchedule'],
    [GKE, `Taint of the node pool, until the agent has written the labels: ${STARTUP}:NoSchedule`],
    ['kubernetes.azure.com/agentpool', 'Do not declare berth.dev/cvm, berth.dev/podman on the pool: AKS lets nobody change'],
    ['kubernetes.azure.com/agentpool', `Node initialization taint (an ordinary taint of the pool cannot be removed), until`],
    ['example.com/none', 'no pool, 1 node Labels of the pool, in addition to']
  ])('of %s: %s', async (label, words) => {
    expect(said(await pool(label, [UBUNTU, { taints: [GPU] }]))).toContain(words)
  })

  test('say if the pool should declare no label', async () => {
    expect(said(await pool(GKE, ['bottlerocket-fresh']))).toContain(
      'no capability in common, so the pool should declare no label.'
    )
  })
})

describe('of the recorded cluster', () => {
  let nodes: readonly V1Node[]
  beforeAll(async () => {
    nodes = await recordedFleet()
  })

  test('json is the same advice', () => {
    expect(JSON.parse(formatFleet(nodes, ['--autoscaler', '--format', 'json']))).toEqual({
      schema: 1,
      pools: JSON.parse(JSON.stringify(adviceOf(nodes)))
    })
  })

  test('every disagreement is warned of, and its label is never declared', () => {
    const text = said(nodes)
    const disputed = adviceOf(nodes).flatMap(({ disagreements, labels }) =>
      disagreements.map(({ capability }) => [capability, `berth.dev/${capability}` in labels] as const)
    )
    expect(disputed).toEqual([
      ['cvm', false],
      ['podman', false],
      ['userns', false],
      ['cached-cvm', false],
      ['gpu-cvm', false],
      ['podman', false]
    ])
    expect(text.match(/warning: its nodes disagree on/g)).toHaveLength(6)
  })
})
