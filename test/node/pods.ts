import { eventually, nodeOf } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import type { ControlPlane } from '../support/cluster/control-plane.ts'
import { NODE_NAME } from './node.ts'

export const STARTUP = { key: 'startup-taint.cluster-autoscaler.kubernetes.io/berth', effect: 'NoSchedule', value: 'true' }
export const PODS = '/api/v1/namespaces/default/pods'

/** As device plugins would; resolves when the kubelet offers these to pods, or, for `null`, no longer. */
export async function offer(plane: ControlPlane, resources: Readonly<Record<string, string | null>>): Promise<void> {
  await succeeded('offer', plane.api('PATCH', `/api/v1/nodes/${NODE_NAME}/status`, { status: { capacity: resources } }))
  await eventually('it is offered', async () => {
    const allocatable = (await nodeOf(plane, NODE_NAME).read()).status['allocatable'] as Readonly<Record<string, string>>
    return Object.entries(resources).every(([name, amount]) => (allocatable[name] ?? null) === amount)
  })
}

export const offerFuse = (plane: ControlPlane) => offer(plane, { 'github.com/fuse': '10' })

/** What a rootless Podman workspace asks of a node: a user namespace, and a Node that says it hosts them. */
export const workspace = (name: string, nodeSelector: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    hostUsers: false,
    nodeSelector,
    ...{ restartPolicy: 'Never', terminationGracePeriodSeconds: 0 },
    tolerations: nodeSelector['berth.dev/podman'] === undefined ? [{ operator: 'Exists' }] : [],
    containers: [{ name: 'workspace', image: 'localhost/workspace:1', imagePullPolicy: 'Never' }]
  }
})

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly containerID: string }[]
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[]
  }
}

export const podOf = ({ api }: ControlPlane, name: string) => succeeded(name, api<Pod>('GET', `${PODS}/${name}`))
export const phaseOf = async (plane: ControlPlane, name: string) => (await podOf(plane, name)).status.phase
export const eventsOf = async ({ api }: ControlPlane, name: string): Promise<string> => {
  const found = await succeeded(
    'events',
    api<{ items: readonly { message: string }[] }>(
      'GET',
      `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3D${name}`
    )
  )
  return found.items.map(({ message }) => message).join('\n')
}
