import { type NodeObject, parseNode } from '../facts/node-object.ts'
import { metadataOf } from '../kubernetes/own-node/metadata.ts'
import { watchNode } from '../kubernetes/own-node/watch.ts'
import type { WatchedNode } from '../kubernetes/watch-stream.ts'
import { standingCondition } from '../node-sync/condition.ts'
import type { NodeView } from '../node-sync/node-view.ts'
import type { Wake } from './wake.ts'
import type { Agent, Seen } from './world.ts'

/** Watches the agent's own Node until the agent ends. */
export function watchOwnNode({ config, world, connection, wake, seen }: Agent): Promise<void> {
  const { emit } = world
  return watchNode(
    connection,
    config.options['node-name'],
    {
      onNode: node => noteNode(node, seen, wake),
      onAlive: () => {
        seen.isLost = false
        emit({ type: 'api-alive' })
      },
      onRestart: (reason, error) => emit({ type: 'watch-restarted', reason, error }),
      onLost: () => {
        seen.isLost = true
      }
    },
    world
  )
}

function noteNode(raw: WatchedNode | undefined, seen: Seen, wake: Wake): void {
  const node = raw && parseNode({ kind: 'Node', ...raw })
  // A change that affects facts needs an observation; a change of labels and annotations only a comparison.
  if (JSON.stringify(decidingPart(node)) !== JSON.stringify(decidingPart(seen.node))) wake.want('observe')
  seen.node = node
  seen.view = raw && viewOf(raw)
  wake.want('reconcile')
}

const decidingPart = (node: NodeObject | undefined) => node && { ...node, labels: node.labels['sysbox-runtime'], annotations: '' }

const viewOf = ({ metadata, spec, status }: WatchedNode): NodeView => ({
  ...metadataOf(metadata),
  name: metadata.name,
  taints: spec.taints,
  condition: standingCondition(status.conditions)
})
