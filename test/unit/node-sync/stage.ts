import { ApiError } from '../../../src/kubernetes/api-error.ts'
import type { Call } from '../../../src/kubernetes/call.ts'
import type { Connection } from '../../../src/kubernetes/connection.ts'
import type { Condition } from '../../../src/node-sync/condition.ts'
import type { eventBody } from '../../../src/node-sync/events.ts'
import type { NodeView } from '../../../src/node-sync/node-view.ts'
import { createNodeSync } from '../../../src/node-sync/reconcile.ts'
import type { Taint } from '../../../src/node-sync/startup-taint.ts'

export interface Metadata {
  readonly labels?: Readonly<Record<string, string | null>>
  readonly annotations?: Readonly<Record<string, string | null>>
}

/** One request to the API, by what it is about. */
export interface Request {
  readonly about: 'labels' | 'condition' | 'taint' | 'event'
  readonly body: unknown
}

export const HEARTBEAT = 300_000
export const UNKNOWN_AFTER = 600_000

/** A Node in memory, as an API server would keep it, and what keeps it right, begun at `now`. */
export function stage(labels: Record<string, string> = {}, refuse: (metadata: Metadata) => boolean = () => false, now = 0) {
  const node = { uid: 'u', version: 100, labels: { ...labels }, annotations: {} as Record<string, string>, taints: [] as Taint[] }
  const patches: Metadata[] = []
  const told: string[] = []
  const wrote: string[] = []
  const repairs: string[] = []
  const events: ReturnType<typeof eventBody>[] = []
  const conditions: Condition[] = []
  const contested: number[] = []
  const time = { now }
  const chance = { next: 0.5 }
  /** What the API answers in place of what it would do; a test gives its own. */
  const api = { fails: (_: Request): Error | undefined => undefined }
  const answer = () => ({
    metadata: {
      uid: node.uid,
      resourceVersion: `${node.version}`,
      labels: { ...node.labels },
      annotations: { ...node.annotations }
    }
  })
  const label = ({ metadata }: { readonly metadata: Metadata }) => {
    patches.push(metadata)
    if (refuse(metadata)) throw new ApiError('refused by a policy', { status: 422 })
    merge(node.labels, metadata.labels)
    merge(node.annotations, metadata.annotations)
  }
  const untaint = (patch: readonly { readonly op: string; readonly path: string }[]) => {
    for (const { op, path } of patch) if (op === 'remove') node.taints.splice(Number(path.split('/').at(-1)), 1)
  }
  const call = async (_: unknown, { method, path, body, contentType = '' }: Call) => {
    const about = method === 'POST' ? 'event' : path.includes('/status') ? 'condition' : TARGETS[contentType]
    const failure = api.fails({ about: about ?? 'labels', body })
    if (failure !== undefined) throw failure
    if (about === 'event') {
      events.push(body as ReturnType<typeof eventBody>)
      told.push((body as { readonly reason: string }).reason)
      return {}
    }
    if (about === 'condition') {
      conditions.push(...(body as { readonly status: { readonly conditions: readonly Condition[] } }).status.conditions)
    } else if (about === 'taint') untaint(body as Parameters<typeof untaint>[0])
    else label(body as { readonly metadata: Metadata })
    node.version += 1
    return answer()
  }
  const connection = { server: '', call } as unknown as Connection
  const sync = createNodeSync({
    ...{
      connection,
      prefix: 'berth.dev',
      version: '0',
      startupTaint: 'start',
      heartbeat: HEARTBEAT,
      unknownAfter: UNKNOWN_AFTER
    },
    ...{ clock: { elapsed: () => time.now, now: () => new Date(time.now) }, random: () => chance.next },
    listener: {
      wrote: (target, result, what, error) =>
        wrote.push(`${target} ${result}: ${what}${error === undefined ? '' : ` (${error.message})`}`),
      repaired: ({ key, kind }, seconds) => {
        told.push(`${kind} ${key}`)
        repairs.push(`${key} after ${seconds} s`)
      },
      contested: (keys, begun) => {
        contested.push(keys)
        for (const key of begun) told.push(`contested ${key}`)
      }
    }
  })
  const view = (changes: Partial<NodeView> = {}): NodeView => ({
    ...answer().metadata,
    ...{ name: 'n', taints: [...node.taints], condition: undefined },
    ...changes
  })
  return { node, patches, told, wrote, repairs, events, time, chance, api, contested, conditions, sync, view }
}

const TARGETS: Readonly<Record<string, Request['about']>> = {
  'application/merge-patch+json': 'labels',
  'application/json-patch+json': 'taint'
}

function merge(into: Record<string, string>, from: Metadata['labels'] = {}): void {
  for (const [key, value] of Object.entries(from)) {
    if (value === null) delete into[key]
    else into[key] = value
  }
}
