import type { Permission } from '../../kubernetes/permissions.ts'
import type { Terms } from './inspection.ts'

const to = (resource: string, ...verbs: readonly string[]): readonly Permission[] => verbs.map(verb => ({ verb, resource }))

/** What the agent's account must have, as in manifests/base/rbac.yaml. */
export const NEEDED: readonly Permission[] = [
  ...to('nodes', 'get', 'watch', 'patch'),
  ...to('nodes/status', 'patch'),
  { verb: 'create', resource: 'events', namespace: 'default' },
  { verb: 'list', resource: 'resourceslices', group: 'resource.k8s.io' }
]

/** With the permission to read the namespace of the workspaces, if one is configured. */
export const neededBy = ({ workspaceNamespace: name }: Pick<Terms, 'workspaceNamespace'>): readonly Permission[] =>
  name === '' ? NEEDED : [...NEEDED, { verb: 'get', resource: 'namespaces', name }]

/** What it must not have: with any of these, a token stolen from one node gives access to more than that node. */
export const EXCESSIVE: readonly Permission[] = [
  ...to('nodes', 'list', 'create', 'update', 'delete'),
  ...to('nodes/proxy', 'get', 'create'),
  ...to('events', 'create', 'patch'),
  { verb: 'patch', resource: 'events', namespace: 'default' },
  ...to('secrets', 'get', 'list'),
  ...to('pods', 'create'),
  ...to('pods/exec', 'create'),
  ...to('serviceaccounts/token', 'create')
]

/** `patch nodes/status`, `get namespaces coder`, `create events in default`. */
export const named = ({ verb, resource, name = '', namespace = '' }: Permission): string =>
  [verb, resource, name, namespace === '' ? '' : `in ${namespace}`].filter(part => part !== '').join(' ')
