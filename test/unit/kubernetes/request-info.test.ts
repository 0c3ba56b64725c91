import { expect, test } from 'vitest'
import { parseRequestInfo } from '../../../src/kubernetes/request-info.ts'

test.each([
  ['GET', '/api/v1/nodes/n1', 'get nodes'],
  ['GET', '/api/v1/nodes?limit=500', 'list nodes'],
  ['GET', '/api/v1/nodes?watch=1&fieldSelector=metadata.name%3Dn1', 'watch nodes'],
  ['PATCH', '/api/v1/nodes/n1?fieldManager=berth', 'patch nodes'],
  ['PATCH', '/api/v1/nodes/n1/status?fieldManager=berth', 'patch nodes/status'],
  ['POST', '/api/v1/namespaces/default/events', 'create events'],
  ['GET', '/api/v1/namespaces/coder', 'get namespaces'],
  ['GET', '/apis/resource.k8s.io/v1/resourceslices?limit=100', 'list resourceslices'],
  ['POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', 'create selfsubjectreviews'],
  // Rancher and other proxies put a path of their own before it.
  ['PATCH', '/k8s/clusters/c-1/api/v1/nodes/n1', 'patch nodes'],
  ['GET', '/version', 'list other'],
  ['DELETE', '/api/v1/nodes/n1', 'other nodes'],
  // A Node may be named like a resource.
  ['GET', '/api/v1/nodes/events', 'get nodes'],
  ['GET', '', 'list other']
])('%s %s: %s', (method, path, expected) => {
  const { verb, resource } = parseRequestInfo(method, path)
  expect(`${verb} ${resource}`).toBe(expected)
})
