import type { Permission } from '../../cluster/access.ts'

const to = (resource: string, ...verbs: readonly string[]): readonly Permission[] => verbs.map(verb => ({ verb, resource }))

/** What the agent's account must have, as in manifests/base/rbac.yaml. */
export const NEEDED: readonly Permission[] = [
  ...to('nodes', 'get', 'watch', 'patch'),
  ...to('nodes/status', 'patch'),
  ...to('events', 'create', 'patch')
]

/** What it must not have: with any of these, whoever steals a token from one node owns more than that node. */
export const EXCESSIVE: readonly Permission[] = [
  ...to('nodes', 'list', 'create', 'update', 'delete'),
  ...to('nodes/proxy', 'get', 'create'),
  ...to('secrets', 'get', 'list'),
  ...to('pods', 'create'),
  ...to('pods/exec', 'create'),
  ...to('serviceaccounts/token', 'create')
]

/** `patch nodes/status`. */
export const named = ({ verb, resource }: Permission): string => `${verb} ${resource}`
