import { EVENT_POLICY, NODE_POLICY, POLICY_VERSION } from '../../../src/kubernetes/admission-guard/dry-runs.ts'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import type { Call, StreamCall } from '../../../src/kubernetes/call.ts'
import type { Connection } from '../../../src/kubernetes/connection.ts'
import { parseRequestInfo } from '../../../src/kubernetes/request-info.ts'
import type { Time } from './time.ts'

export interface ServerNode {
  readonly name: string
  version: number
  labels: Record<string, string>
  annotations: Record<string, string>
  conditions: readonly { readonly type: string }[]
  /** The stream of its agent, where one is open. */
  stream: Stream | undefined
}

interface Stream {
  readonly push: (type: 'ADDED' | 'MODIFIED' | 'ERROR', object: object) => void
  readonly end: (error?: ApiError) => void
}

/** The API server as its clients know it: up or down, patient or not. Every request that is begun is told to `onRequest`. */
export interface Server {
  readonly connect: (node: ServerNode) => Connection
  /** As an operator: others' labels on a Node. */
  readonly change: (node: ServerNode, labels: Readonly<Record<string, string | null>>) => void
  /** Every stream ends: cut off, or in good order. */
  readonly drop: (how: 'cut' | 'ended') => void
  isUp: boolean
  /** Requests a second that it takes; the others are answered 429. */
  capacity: number
  /** It was started anew, and knows only versions from now on. */
  forget: () => void
}

export interface ServerTerms {
  readonly time: Time
  readonly random: () => number
  readonly onRequest: (what: string, node: ServerNode) => void
}

const DAY = '2026-01-01T00:00:00Z'

export function createServer({ time, random, onRequest }: ServerTerms): Server {
  let version = 1_000
  let oldest = 0
  let [second, taken] = [-1, 0]
  const streams = new Set<Stream>()

  const objectOf = ({ name, version: at, labels, annotations, conditions }: ServerNode) => ({
    kind: 'Node',
    metadata: { name, uid: name, resourceVersion: `${at}`, creationTimestamp: DAY, labels, annotations },
    spec: {},
    status: { conditions, nodeInfo: { containerRuntimeVersion: 'containerd://1.7.27' } }
  })
  const changed = (node: ServerNode) => {
    version += 1
    node.version = version
    node.stream?.push('MODIFIED', objectOf(node))
  }
  const isFull = () => {
    const now = Math.floor(time.elapsed() / 1000)
    if (now !== second) [second, taken] = [now, 0]
    taken += 1
    return taken > server.capacity
  }

  /** A request on its way: the answer takes some milliseconds. Throws what the connection would. */
  const arrive = async (call: Call, node: ServerNode): Promise<void> => {
    const { verb, resource } = parseRequestInfo(call.method, call.path)
    onRequest(`${verb} ${resource}${call.path.includes('dryRun') ? ' (dry run)' : ''}`, node)
    await time.sleep(5 + random() * 15)
    if (!server.isUp) throw new ApiError('nothing listens there', { code: 'ECONNREFUSED' })
    if (isFull()) throw new ApiError('too many requests', { status: 429, transient: true, retryAfter: 1 })
  }

  const answer = (call: Call, node: ServerNode): unknown => {
    if (call.path.includes('selfsubjectreviews'))
      return { status: { userInfo: { username: 'agent', extra: { 'authentication.kubernetes.io/node-name': [node.name] } } } }
    if (call.path.includes('dryRun')) throw denied(call.path.includes('/events') ? EVENT_POLICY : NODE_POLICY)
    if (call.method === 'POST') return {}
    const { metadata, status } = call.body as Patch
    merge(node.labels, metadata?.labels)
    merge(node.annotations, metadata?.annotations)
    for (const condition of status?.conditions ?? [])
      node.conditions = [...node.conditions.filter(({ type }) => type !== condition.type), condition]
    changed(node)
    return objectOf(node)
  }

  const openStream = async ({ path, signal }: StreamCall, node: ServerNode): Promise<AsyncIterable<Uint8Array>> => {
    const query = new URL(path, 'http://api').searchParams
    if (query.get('fieldSelector')?.includes('!=')) return another()
    const from = Number(query.get('resourceVersion'))
    const { stream, pieces } = createStream()
    const close = (error?: ApiError) => {
      streams.delete(wrapped)
      if (node.stream === wrapped) node.stream = undefined
      stream.end(error)
    }
    const wrapped: Stream = { push: stream.push, end: close }
    streams.add(wrapped)
    node.stream = wrapped
    // Opened while the agent was ending: no news of that will come any more.
    if (signal.aborted) wrapped.end()
    signal.addEventListener('abort', () => wrapped.end(), { once: true })
    time.at(time.elapsed() + Number(query.get('timeoutSeconds')) * 1000, () => wrapped.end())
    if (from === 0) stream.push('ADDED', objectOf(node))
    else if (from < oldest) stream.push('ERROR', { code: 410, message: 'too old resource version' })
    else if (node.version > from) stream.push('MODIFIED', objectOf(node))
    return pieces
  }

  const server: Server = {
    isUp: true,
    capacity: Number.POSITIVE_INFINITY,
    connect: node => ({
      server: 'https://simulated',
      call: async (_, call) => {
        await arrive(call, node)
        return answer(call, node) as never
      },
      stream: async (_, call) => {
        await arrive(call, node)
        return await openStream(call, node)
      },
      close: async () => node.stream?.end()
    }),
    change: (node, labels) => {
      merge(node.labels, labels)
      changed(node)
    },
    drop: how => {
      const error = how === 'cut' ? new ApiError('cut', { code: 'ECONNRESET', transient: true }) : undefined
      for (const stream of [...streams]) stream.end(error)
      streams.clear()
    },
    forget: () => {
      version += 1_000
      oldest = version
    }
  }
  return server
}

const denied = (policy: string): ApiError =>
  new ApiError(`ValidatingAdmissionPolicy '${policy}' denied it: berth policy ${POLICY_VERSION}: x`, {
    status: 422,
    code: 'Invalid'
  })

/** What a watch of all Nodes but one tells first. */
async function* another(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'another', resourceVersion: '1' } } })}\n`)
}

interface Patch {
  readonly metadata?: { readonly labels?: Changes; readonly annotations?: Changes }
  readonly status?: { readonly conditions: readonly { readonly type: string }[] }
}
type Changes = Readonly<Record<string, string | null>>

function merge(into: Record<string, string>, from: Changes = {}): void {
  for (const [key, value] of Object.entries(from)) {
    if (value === null) delete into[key]
    else into[key] = value
  }
}

const encoder = new TextEncoder()

function createStream() {
  const waiting: Uint8Array[] = []
  let over: { readonly error: ApiError | undefined } | undefined
  let ring: (() => void) | undefined
  const stream: Stream = {
    push: (type, object) => {
      waiting.push(encoder.encode(`${JSON.stringify({ type, object })}\n`))
      ring?.()
    },
    end: error => {
      over ??= { error }
      ring?.()
    }
  }
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) yield piece
      if (over?.error !== undefined) throw over.error
      if (over !== undefined) return
      await new Promise<void>(resolve => {
        ring = resolve
      })
    }
  }
  return { stream, pieces: pieces() }
}
