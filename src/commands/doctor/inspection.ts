import type { Attempt } from '../../facts/fact.ts'
import type { Guard } from '../../kubernetes/admission-guard/check.ts'
import type { AgentPage } from '../../kubernetes/agent-pages.ts'
import type { CvmClaim } from '../../kubernetes/cvm-claims.ts'
import type { Identity } from '../../kubernetes/identity.ts'
import type { Permission } from '../../kubernetes/permissions.ts'
import type { Condition } from '../../node-sync/condition.ts'
import type { Taint } from '../../node-sync/startup-taint.ts'

/** Everything that the checks judge: each value, or the reason why it is missing. */
export interface Inspection {
  readonly terms: Terms
  readonly server: string
  /** Kubernetes' version. */
  readonly api: Attempt<string>
  readonly identity: Attempt<Identity>
  readonly node: Attempt<InspectedNode>
  /** The boot id of the machine that doctor runs on. */
  readonly boot: Attempt<string>
  /** The permissions that we have, of the needed ones and of `EXCESSIVE`. */
  readonly allowed: Attempt<readonly Permission[]>
  readonly guard: Attempt<Guard>
  /** A dry run of the agent's writes. */
  readonly write: Attempt<true>
  /** The bounds of how far the API server's clock is ahead of ours, milliseconds. */
  readonly ahead: Attempt<readonly [least: number, most: number]>
  readonly agent: Attempt<AgentResponses>
  /** Names of the admission webhooks that put a proxy into Pods. */
  readonly injectors: Attempt<readonly string[]>
  /** How the namespace of the workspaces requests a proxy; empty if it does not, or if no namespace is configured. */
  readonly injection: Attempt<string>
  readonly claims: Attempt<readonly CvmClaim[]>
  /** By our clock. */
  readonly now: Date
}

export interface Terms {
  readonly nodeName: string
  readonly prefix: string
  /** `--workspace-namespace`; empty if not set. */
  readonly workspaceNamespace: string
  readonly startupTaint: string
  /** Milliseconds. */
  readonly heartbeat: number
  /** `127.0.0.1:9642`. */
  readonly agentAddress: string
  /** Of this program. */
  readonly version: string
}

export interface InspectedNode {
  readonly bootId: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly condition: Condition | undefined
}

export interface AgentResponses {
  readonly metrics: AgentPage
  readonly health: AgentPage
  readonly ready: AgentPage
  /** The Node that the agent says it is on; empty if it does not say so. */
  readonly node: string
}

/** Whether the credentials are bound to a Node, as an agent's token is and a person's credentials are not. */
export const isBound = ({ identity }: Inspection): boolean => identity.ok && identity.value.node !== ''

/** Whether this machine is the Node; `undefined` if unknown. */
export const isHere = ({ node, boot }: Inspection): boolean | undefined =>
  node.ok && boot.ok && node.value.bootId !== '' ? node.value.bootId === boot.value : undefined

/** Why nothing is known about the Node. The check `node` gives the details. */
export const withoutNode = ({ identity, node }: Inspection): string =>
  identity.ok || node.ok ? 'not checked, because the Node cannot be read' : node.why
