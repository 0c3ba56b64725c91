import type { Attempt } from '../../facts/fact.ts'
import type { Guard } from '../../kubernetes/admission-guard/check.ts'
import type { AgentPage } from '../../kubernetes/agent-pages.ts'
import type { CvmClaim } from '../../kubernetes/cvm-claims.ts'
import type { Identity } from '../../kubernetes/identity.ts'
import type { Permission } from '../../kubernetes/permissions.ts'
import type { Condition } from '../../node-sync/condition.ts'
import type { Taint } from '../../node-sync/startup-taint.ts'

/** What the checks judge: each is an answer, or why there is none. */
export interface Seen {
  readonly terms: Terms
  readonly server: string
  /** Kubernetes' version. */
  readonly api: Attempt<string>
  readonly identity: Attempt<Identity>
  readonly node: Attempt<SeenNode>
  /** The boot id of the machine that doctor runs on. */
  readonly boot: Attempt<string>
  /** Of what is needed and of `EXCESSIVE`, those that we have. */
  readonly allowed: Attempt<readonly Permission[]>
  readonly guard: Attempt<Guard>
  /** A write of ours, tried dry. */
  readonly write: Attempt<true>
  /** How far the API server's clock is ahead of ours, milliseconds: it lies between these. */
  readonly ahead: Attempt<readonly [least: number, most: number]>
  readonly agent: Attempt<AgentAnswers>
  /** Names of the admission webhooks that put a proxy into Pods. */
  readonly injectors: Attempt<readonly string[]>
  /** How the workspaces' namespace asks for a proxy; empty where it does not, or where none was named. */
  readonly injection: Attempt<string>
  readonly claims: Attempt<readonly CvmClaim[]>
  /** By our clock. */
  readonly now: Date
}

export interface Terms {
  readonly nodeName: string
  readonly prefix: string
  /** Of `--workspace-namespace`; empty where none was named. */
  readonly workspaceNamespace: string
  readonly startupTaint: string
  /** Milliseconds. */
  readonly heartbeat: number
  /** `127.0.0.1:9642`. */
  readonly agentAddress: string
  /** Of this program. */
  readonly version: string
}

export interface SeenNode {
  readonly bootId: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly condition: Condition | undefined
}

export interface AgentAnswers {
  readonly metrics: AgentPage
  readonly health: AgentPage
  readonly ready: AgentPage
  /** As it calls itself; empty where it does not. */
  readonly node: string
}

/** Whether the credentials are an agent's own, and not a person's. */
export const isBound = ({ identity }: Seen): boolean => identity.ok && identity.value.node !== ''

/** Whether this machine is the Node; `undefined` when that cannot be told. */
export const isHere = ({ node, boot }: Seen): boolean | undefined =>
  node.ok && boot.ok && node.value.bootId !== '' ? node.value.bootId === boot.value : undefined

/** Why there is nothing to say about the Node; its own check tells more. */
export const withoutNode = ({ identity, node }: Seen): string =>
  identity.ok || node.ok ? 'not tried, since the Node cannot be read' : node.why
