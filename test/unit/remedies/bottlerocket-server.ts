import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Entry, temporary } from '../host/temporary.ts'
import { bytesOf, type Call, type Reply, readCalls } from './bottlerocket-wire.ts'
import { writeWhole } from './kernel-host.ts'

/** What the server does instead of answering as usual; `after` does the work first and then answers so. */
export type Fault =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly after?: boolean }
  | { readonly kind: 'bytes'; readonly bytes: string }
  | { readonly kind: 'reset'; readonly after?: boolean }
  | { readonly kind: 'hang' }

export interface Node {
  readonly root: string
  readonly socket: string
  /** Committed sysctls, and what is pending by the name of its transaction. */
  readonly live: Map<string, string>
  readonly pending: Map<string, Map<string, string>>
  readonly calls: Call[]
  /** Values that the kernel took, in their order. */
  readonly written: number[]
  applier: 'works' | 'missing' | 'fails' | 'idle'
  /** Milliseconds from the answer to the kernel. */
  delay: () => number
  booted: boolean
  /** Whether this variant knows sysctls at all. */
  hasSysctls: boolean
  /** Asked before each call. */
  fault: (call: Call) => Fault | undefined
  readonly kernel: () => number
  readonly setKernel: (value: number) => void
  /** As by SIGTERM, without the socket, or as by SIGKILL, which leaves it. */
  readonly stop: (how?: 'term' | 'kill') => Promise<void>
  readonly start: () => Promise<void>
}

const LIMIT = 'proc/sys/user/max_user_namespaces'
const IDLE = 5_000
const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=utf-8'
const NOTHING_PENDING = { status: 422, text: 'Tried to commit with no pending changes' } as const

/** The API server of Bottlerocket as it was measured, over a real socket in a root of its own, with the kernel as a file. */
export async function bottlerocket(live = 0, more: Readonly<Record<string, Entry>> = {}): Promise<Node> {
  const root = temporary({ [LIMIT]: `${live}\n`, 'run/other': '', 'proc/self/uid_map': '0 0 4294967295\n', ...more })
  let server: Server | undefined
  const open = new Set<Socket>()
  const node: Node = {
    root,
    socket: join(root, 'run/api.sock'),
    live: new Map(),
    pending: new Map(),
    calls: [],
    written: [],
    applier: 'works',
    delay: () => 26,
    booted: true,
    hasSysctls: true,
    fault: () => undefined,
    kernel: () => Number(readFileSync(join(root, LIMIT), 'utf8')),
    setKernel: value => {
      node.written.push(value)
      writeWhole(join(root, LIMIT), `${value}\n`)
    },
    stop: async (how = 'term') => {
      for (const socket of open) socket.destroy()
      const closed = new Promise(resolve => (server === undefined ? resolve(0) : server.close(resolve)))
      await closed
      server = undefined
      // A killed server leaves a socket that nobody listens on.
      if (how === 'kill') await leaveSocket(node.socket)
    },
    start: async () => {
      rmSync(node.socket, { force: true })
      server = createServer(socket => {
        open.add(socket)
        socket.on('close', () => open.delete(socket)).on('error', () => undefined)
        socket.setTimeout(IDLE, () => socket.destroy())
        readCalls(socket, call => serve(node, socket, call))
      })
      await new Promise<void>(resolve => server?.listen(node.socket, resolve))
    }
  }
  onTestFinished(() => node.stop())
  await node.start()
  return node
}

async function leaveSocket(path: string): Promise<void> {
  const { execa } = await import('execa')
  const script = "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))"
  await execa(process.execPath, ['-e', script, path], { reject: false, cwd: dirname(path) })
}

function serve(node: Node, socket: Socket, call: Call): void {
  node.calls.push(call)
  const fault = node.fault(call)
  if (fault?.kind === 'hang') return
  if (fault?.kind === 'bytes') return void socket.write(fault.bytes)
  const usual = fault === undefined || fault.after === true ? answer(node, call) : { status: 500 }
  if (fault?.kind === 'reset') return void socket.destroy()
  socket.write(bytesOf(fault?.reply ?? usual))
  // The framework sends a body that its own head forbids.
  if (call.path === '/tx/apply' && usual.status === 204) socket.write('null')
}

const json = (value: unknown): Reply => ({ status: 200, text: JSON.stringify(value), type: JSON_TYPE })
const keyName = (key: string): string => (key.includes('.') ? `settings.kernel.sysctl."${key}"` : `settings.kernel.sysctl.${key}`)
const settings = (found: ReadonlyMap<string, string>) =>
  found.size === 0 ? {} : { kernel: { sysctl: Object.fromEntries(found) } }

function answer(node: Node, { method, path, query, body, type }: Call): Reply {
  const name = query.get('tx') ?? 'default'
  switch (`${method} ${path}`) {
    case 'GET /tx/list':
      return json([...(node.booted ? [] : ['bottlerocket-launch']), ...node.pending.keys()])
    case 'GET /tx':
      return json(settings(node.pending.get(name) ?? new Map()))
    case 'DELETE /tx':
      return json(take(node, name).map(([key]) => keyName(key)))
    case 'GET /settings':
      return read(node, query)
    case 'PATCH /settings':
      return stage(node, name, type, body)
    case 'POST /tx/commit_and_apply':
      return commit(node, name)
    case 'POST /tx/apply':
      apply(node)
      return { status: 204, type: JSON_TYPE }
    default:
      return { status: 404, text: '' }
  }
}

/** An empty name means the folder of all transactions. */
function take({ pending }: Node, name: string): readonly (readonly [string, string])[] {
  const taken = [...(pending.get(name) ?? [])]
  if (name === '') pending.clear()
  pending.delete(name)
  return taken
}

function read({ booted, live }: Node, query: ReadonlyMap<string, string>): Reply {
  const keys = query.get('keys')
  if (keys !== undefined) {
    const asked = new Set(keys.split(',').map(key => key.replaceAll('"', '')))
    return json(settings(new Map([...live].filter(([key]) => asked.has(keyName(key).replaceAll('"', ''))))))
  }
  if (query.has('prefix')) return json(settings(live))
  return booted ? json(settings(live)) : { status: 404, text: "Found no 'settings' in datastore" }
}

const refuse = (text: string): Reply => ({ status: 400, type: TEXT_TYPE, text })

function stage({ pending, hasSysctls }: Node, name: string, type: string, body: string): Reply {
  if (!/^(application|text)\/(.+\+)?json/i.test(type)) return refuse('Content type error')
  if (body === '') return refuse('Json deserialize error: EOF while parsing a value at line 1 column 0')
  const { kernel } = JSON.parse(body) as { kernel: { sysctl: Readonly<Record<string, unknown>> } }
  const expected = 'expected `lockdown` or `modules` at line 1 column 19'
  if (!hasSysctls) return refuse(`Json deserialize error: unknown field \`sysctl\`, ${expected}`)
  for (const [key, value] of Object.entries(kernel.sysctl)) {
    if (typeof value !== 'string') {
      // The column of the last byte of the value, counted from 1.
      const at = `at line 1 column ${body.indexOf('}')}`
      return refuse(`Json deserialize error: invalid type: integer \`${value}\`, expected a string ${at}`)
    }
    if (!/^[a-zA-Z0-9./_-]{1,128}$/.test(key)) {
      const why = `'${key}': must match pattern ^[a-zA-Z0-9./_-]{1,128}$ at line 1 column ${body.indexOf('":', 21) + 1}`
      return refuse(`Json deserialize error: Unable to deserialize into SysctlKey: Invalid sysctl key ${why}`)
    }
  }
  pending.set(name, new Map([...(pending.get(name) ?? []), ...(Object.entries(kernel.sysctl) as [string, string][])]))
  return { status: 204 }
}

/** What fails to be applied is committed all the same. */
function commit(node: Node, name: string): Reply {
  const taken = take(node, name)
  if (taken.length === 0) return NOTHING_PENDING
  for (const [key, value] of taken) node.live.set(key, value)
  if (node.applier === 'missing') {
    return { status: 500, text: 'Unable to start config applier: No such file or directory (os error 2) ' }
  }
  if (node.applier === 'fails') return { status: 500, text: 'Config applier was unable to fork child, returned 1' }
  if (node.applier === 'works') apply(node)
  return json(taken.map(([key]) => keyName(key)))
}

/** The two spellings are two keys of one file, in the order of a hash map. One that cannot write says so to nobody. */
function apply(node: Node): void {
  setTimeout(() => {
    const entries = [...node.live].filter(([, value]) => /^\s*\d{1,10}\s*$/.test(value))
    if (Math.random() < 0.5) entries.reverse()
    for (const [key, value] of entries) {
      const file = `proc/sys/${key.replaceAll('.', '/')}`
      if (!existsSync(join(node.root, file))) continue
      if (file === LIMIT) node.setKernel(Number(value))
      else writeWhole(join(node.root, file), `${Number(value)}\n`)
    }
  }, node.delay())
}
