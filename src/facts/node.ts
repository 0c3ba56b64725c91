import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { listed } from './listed.ts'
import type { NodeObject } from './node-object.ts'

export const detectNode: Detector<NodeObject> = async ({ node }) => {
  if (node === undefined) throw new Unsure('no Node object was given (--node FILE, or a cluster)')
  return node
}

export const nodeFact = defineFact({
  name: 'node',
  describes: 'allocatable, runtime handlers, taints and versions from the Node object',
  detect: detectNode,
  format: ({ name, kubelet, containerRuntime, allocatable }) =>
    `${name}, ${kubelet}, ${containerRuntime}, offers ${listed(
      Object.entries(allocatable).map(([resource, count]) => `${count} ${resource}`),
      'no extended resources'
    )}`,
  furtherEvidence: ({ node }) =>
    node === undefined ? [] : [{ source: `Node ${node.name}`, saw: `${node.kubelet}, ${node.containerRuntime}` }]
})
