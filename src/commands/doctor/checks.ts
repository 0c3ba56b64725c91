import type { Finding } from '../../report/findings.ts'
import { judgeApi, judgeClock, judgeGuard, judgeIdentity, judgePermissions, judgeWrites } from './access-checks.ts'
import { judgeAgent, judgeHeartbeat, judgeLabels, judgeMachine, judgeNode, judgeTaint } from './node-checks.ts'
import type { Opinion } from './opinion.ts'
import type { Seen } from './seen.ts'
import { judgeSidecars, judgeVolumes } from './workspace-checks.ts'

/** The checks, in the order in which they are told. */
export const checks = {
  api: judgeApi,
  clock: judgeClock,
  identity: judgeIdentity,
  permissions: judgePermissions,
  guard: judgeGuard,
  writes: judgeWrites,
  node: judgeNode,
  machine: judgeMachine,
  agent: judgeAgent,
  labels: judgeLabels,
  heartbeat: judgeHeartbeat,
  taint: judgeTaint,
  sidecars: judgeSidecars,
  volumes: judgeVolumes
} as const satisfies Readonly<Record<string, (seen: Seen) => Opinion>>

export type CheckName = keyof typeof checks

/** All checks of what was seen. */
export const findings = (seen: Seen): readonly Finding[] =>
  Object.entries(checks).map(([check, judge]) => ({ check, ...judge(seen) }))
