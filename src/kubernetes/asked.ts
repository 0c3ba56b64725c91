/** In the words of RBAC; what is none of these is `other`. */
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

/** One request to the API as RBAC and the metrics name it. */
export interface Asked {
  readonly verb: (typeof VERBS)[number]
  readonly resource: (typeof RESOURCES)[number]
}

/** A server behind a proxy has a path of its own before the API's. */
const PATH = /\/(?:api|apis\/[^/]+)\/v[^/]+\/(?:namespaces\/[^/]+\/)?([a-z]+)(?:\/([^/]+)(?:\/([a-z]+))?)?$/

/** What a request asks for, from its method and its path with its query. Pure. */
export function parseAsked(method: string, target: string): Asked {
  const [path = '', query = ''] = target.split('?', 2)
  const [, kind = '', name, part] = PATH.exec(path) ?? []
  const resource = part === undefined ? kind : `${kind}/${part}`
  return {
    verb: verbOf(method, name !== undefined, new URLSearchParams(query).has('watch')),
    resource: RESOURCES.find(known => known === resource) ?? 'other'
  }
}

function verbOf(method: string, isNamed: boolean, isWatch: boolean): Asked['verb'] {
  if (method === 'GET') return isWatch ? 'watch' : isNamed ? 'get' : 'list'
  return method === 'PATCH' ? 'patch' : method === 'POST' ? 'create' : 'other'
}
