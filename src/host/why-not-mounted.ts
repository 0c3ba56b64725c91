import { isAt } from './mount-table.ts'

/** What brings a path of the node into the agent's pod: a component of the manifests, and a value of the chart. */
const WAYS: readonly (readonly [directory: string, way: string])[] = [
  ['/run/nvidia', 'add components/gpu-operator (chart: gpuOperator.enabled)'],
  ['/var/lib', 'add components/sysbox (chart: sysbox.enabled)'],
  ['/opt', 'add components/sysbox (chart: sysbox.enabled)'],
  ['/var/usrlocal', 'add components/ostree (chart: ostree.enabled)']
]

/** Why a path of the node is not to be seen in a pod that has only some of the node's directories, and what to do. */
export function whyNotMounted(path: string, base: string): string {
  if (isAt(path, '/proc')) return "the agent's pod cannot see the node's processes"
  const way = WAYS.find(([directory]) => isAt(path, directory))?.[1]
  return `it is not mounted into the agent's pod; ${way ?? `mount it read-only at ${base}${path}`}`
}
