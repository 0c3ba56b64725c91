import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** The host's end of the line to the guest's agent (`guest/agent.sh` says what goes over it). */
export interface Channel {
  /** Resolves when the agent has said that it is there. */
  readonly ready: Promise<void>
  /** Several may be under way. `limit` in milliseconds; the agent kills what takes longer, which then has the status 137. */
  readonly run: (script: string, limit: number) => Promise<Answer>
  /** Everything under way, and everything later, fails for this reason. */
  readonly fail: (why: Error) => void
}

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (why: Error) => void
}

const late = 30_000 // milliseconds that a guest may take for killing and answering before it counts as dead

/** Listens on a unix socket, to which QEMU connects: what the guest writes early waits there. */
export async function openChannel(path: string): Promise<Channel> {
  const server = createServer()
  server.listen(path)
  await once(server, 'listening')
  server.unref()
  const waiting = new Map<string, Waiting>()
  const ready = Promise.withResolvers<void>()
  let broken: Error | undefined
  let socket: Socket | undefined
  const fail = (why: Error) => {
    broken ??= why
    server.close()
    socket?.destroy()
    for (const { reject } of [ready, ...waiting.values()]) reject(broken)
    waiting.clear()
  }
  const hear = (line: string) => {
    if (line === 'ready') return ready.resolve()
    const [id = '', status, stdout, stderr] = line.split(' ')
    waiting.get(id)?.resolve({ status: Number(status), stdout: decoded(stdout), stderr: decoded(stderr) })
    waiting.delete(id)
  }
  server.once('connection', connected => {
    socket = connected
    eachLine(connected, hear)
    connected.on('error', () => undefined) // the end of QEMU tells more
  })
  let count = 0
  const run = (script: string, limit: number): Promise<Answer> => {
    if (broken) return Promise.reject(broken)
    const id = `${++count}`
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const timer = setTimeout(() => fail(new Error(`the machine does not answer; it was to run\n${script}`)), limit + late)
    waiting.set(id, { resolve, reject })
    socket?.write(`${id} ${limit / 1000} ${Buffer.from(script).toString('base64')}\n`)
    return promise.finally(() => clearTimeout(timer))
  }
  ready.promise.catch(() => undefined) // whoever waits for it gets it too
  return { ready: ready.promise, run, fail }
}

function eachLine(socket: Socket, hear: (line: string) => void): void {
  let parts: string[] = []
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    const lines = chunk.split('\n')
    for (const line of lines.slice(0, -1)) {
      hear([...parts, line].join(''))
      parts = []
    }
    parts.push(lines.at(-1) ?? '')
  })
}

const decoded = (text = '='): string => (text === '=' ? '' : Buffer.from(text, 'base64').toString())
