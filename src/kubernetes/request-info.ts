/** Verbs as RBAC names them; all others are `other`. */
export const VERBS = ['get', 'list', 'watch', 'patch', 'create', 'other'] as const
export const RESOURCES = [
  'nodes',
  'nodes/status',
  'events',
  'namespaces',
  'resourceslices',
  'selfsubjectreviews',
  'other'
] as const

/** A request to the API as RBAC and the metrics name it; Kubernetes calls this RequestInfo too. */
export interface RequestInfo {
  readonly verb: (typeof VERBS)[number]
  readonly resource: (typeof RESOURCES)[number]
}

/** A proxy, such as Rancher's, may put a path of its own before the API's. */
const PATH = /\/(?:api|apis\/[^/]+)\/v[^/]+\/(?:namespaces\/[^/]+\/)?([a-z]+)(?:\/([^/]+)(?:\/([a-z]+))?)?$/

/** From the method, and the path with its query. */
export function parseRequestInfo(method: string, target: string): RequestInfo {
  const [path = '', query = ''] = target.split('?', 2)
  const [, kind = '', name, part] = PATH.exec(path) ?? []
  const resource = part === undefined ? kind : `${kind}/${part}`
  return {
    verb: verbOf(method, name !== undefined, new URLSearchParams(query).has('watch')),
    resource: RESOURCES.find(known => known === resource) ?? 'other'
  }
}

function verbOf(method: string, isNamed: boolean, isWatch: boolean): RequestInfo['verb'] {
  if (method === 'GET') return isWatch ? 'watch' : isNamed ? 'get' : 'list'
  return method === 'PATCH' ? 'patch' : method === 'POST' ? 'create' : 'other'
}
