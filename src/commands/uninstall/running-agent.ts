import { ApiError } from '../../kubernetes/api-error.ts'
import { LIST_BYTES } from '../../kubernetes/call.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import { type Waiting, withRetries } from '../../kubernetes/retry.ts'

/** Whether an agent runs, which would write everything back. */
export type RunningAgent =
  | { readonly state: 'runs'; readonly pod: AgentPod }
  /** The API server has no Pod of the agent. */
  | { readonly state: 'gone' }
  | { readonly state: 'unknown'; readonly why: string }

/** Every text is a name that the API server has validated. */
export interface AgentPod {
  readonly namespace: string
  readonly name: string
  readonly node: string
  /** The controller that replaces the Pod when it is deleted, `daemonset berth`; the Pod itself if it has none. */
  readonly owner: string
}

interface PodList {
  readonly items?: readonly {
    readonly metadata?: {
      readonly name?: string
      readonly namespace?: string
      readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[]
    }
    readonly spec?: { readonly nodeName?: string }
  }[]
}

/** The labels in manifests/base/daemonset.yaml. */
const AGENT = 'app.kubernetes.io/name=berth,app.kubernetes.io/component=agent'
/** Without Pods that have ended. A Pod that is being deleted may still write. */
const ALIVE = 'status.phase!=Succeeded,status.phase!=Failed'

/** Looks for a Pod of the agent in all namespaces: on one Node, or on any if `node` is empty. Throws only on bugs. */
export async function runningAgent(connection: Connection, node: string, waiting: Waiting): Promise<RunningAgent> {
  const query = new URLSearchParams({
    labelSelector: AGENT,
    fieldSelector: node === '' ? ALIVE : `${ALIVE},spec.nodeName=${node}`,
    limit: '1'
  })
  const question = { action: 'list the Pods of the agent', ifNotFound: 'check the URL of the server' }
  const call = { method: 'GET', path: `/api/v1/pods?${query}`, maxBytes: LIST_BYTES } as const
  try {
    const { items = [] } = await withRetries(() => connection.call<PodList>(question, call), waiting)
    const [pod] = items
    return pod === undefined ? { state: 'gone' } : { state: 'runs', pod: agentPod(pod) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { state: 'unknown', why: error.status === 403 ? 'these credentials may not list Pods' : error.message }
  }
}

function agentPod({ metadata, spec }: NonNullable<PodList['items']>[number]): AgentPod {
  const name = metadata?.name ?? ''
  const [owner] = metadata?.ownerReferences ?? []
  return {
    namespace: metadata?.namespace ?? '',
    name,
    node: spec?.nodeName ?? '',
    owner: owner === undefined ? `pod ${name}` : `${owner.kind.toLowerCase()} ${owner.name}`
  }
}
