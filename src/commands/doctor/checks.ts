import type { Finding } from '../../report/findings.ts'
import { judgeApi, judgeClock, judgeGuard, judgeIdentity, judgePermissions, judgeWrites } from './access-checks.ts'
import type { Inspection } from './inspection.ts'
import { judgeAgent, judgeHeartbeat, judgeLabels, judgeMachine, judgeNode, judgeTaint } from './node-checks.ts'
import type { Opinion } from './opinion.ts'
import { judgeSidecars, judgeVolumes } from './workspace-checks.ts'

/** The checks, in the order in which they are printed. */
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
} as const satisfies Readonly<Record<string, (inspection: Inspection) => Opinion>>

export type CheckName = keyof typeof checks

/** Applies all checks. */
export const findings = (inspection: Inspection): readonly Finding[] =>
  Object.entries(checks).map(([check, judge]) => ({ check, ...judge(inspection) }))
