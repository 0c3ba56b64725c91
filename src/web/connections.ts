import type { Server as HttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { firstHead } from './request-head.ts'

/** Connections, milliseconds. The kubelet's probes must find room whatever a pod does that can reach the port. */
export const CONNECTIONS = {
  most: 64,
  /** Of these, from one address: the kubelet and Prometheus have others than a pod that means ill. */
  perAddress: 32,
  /** Until the request is there. */
  asking: 5_000,
  /** Nothing was taken of the answer for so long. */
  idle: 5_000,
  /** From its first byte to its last. */
  life: 30_000,
  closing: 500
} as const

/** One connection. It serves one request. */
interface Line {
  readonly socket: Socket
  readonly address: string
  isAsked: boolean
}

export interface Connections {
  readonly server: Server
  /** Ends within half a second: what was asked is answered. */
  readonly close: () => Promise<void>
}

/**
 * Stands before an HTTP server and bounds what all clients together can hold. The server is given the head of one request a connection,
 * and nothing that is sent after it: a parser makes objects of everything that comes, before anybody can say stop.
 *
 * A new connection is always let in: where that makes too many, the address that has the most loses its oldest idle one, and its
 * oldest where none is idle. So nobody who holds many can keep out somebody who wants one.
 */
export function connectionsBefore(http: HttpServer, mostHead: number): Connections {
  const lines = new Map<Socket, Line>() // the oldest first
  const server = createServer({ allowHalfOpen: true }, socket => {
    const line: Line = { socket, address: socket.remoteAddress ?? '', isAsked: false }
    lines.set(socket, line)
    const timers = [setTimeout(() => reset(socket), CONNECTIONS.life)]
    const asking = setTimeout(() => reset(socket), CONNECTIONS.asking)
    socket.once('close', () => {
      for (const timer of [asking, ...timers]) clearTimeout(timer)
      lines.delete(socket)
    })
    socket.on('error', () => undefined) // 'close' follows
    for (const one of surplus([...lines.values()], line.address)) {
      lines.delete(one.socket) // its 'close' may come after the next connection
      reset(one.socket)
    }
    firstHead(socket, mostHead, head => {
      clearTimeout(asking)
      line.isAsked = true
      socket.setTimeout(CONNECTIONS.idle, () => reset(socket))
      http.emit('connection', withoutMore(socket, head))
    })
  })
  return { server, close: () => close(server, lines) }
}

/** A socket that is closed with an unread answer leaves it in the kernel's memory for minutes; one that is reset leaves nothing. */
const reset = (socket: Socket): void => void socket.resetAndDestroy()

/**
 * What an HTTP server sees of a connection: one head, and where the answer goes. After the answer the client closes: it was told to,
 * and has then read all of it.
 */
function withoutMore(socket: Socket, head: Buffer): Duplex {
  const seen = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, encoding, done) => void socket.write(chunk, encoding, done),
    final: done => void socket.end(done),
    destroy: (_, done) => {
      socket.end()
      done(null)
    }
  })
  seen.on('error', () => undefined)
  socket.once('close', () => seen.destroy())
  seen.push(head)
  return seen
}

/** Who goes, now that this address has one more. */
function surplus(lines: readonly Line[], address: string): readonly Line[] {
  const own = lines.filter(line => line.address === address)
  if (own.length > CONNECTIONS.perAddress) return oldest(own)
  if (lines.length <= CONNECTIONS.most) return []
  const byAddress = Map.groupBy(lines, line => line.address)
  const most = Math.max(...[...byAddress.values()].map(({ length }) => length))
  return oldest(lines.filter(line => byAddress.get(line.address)?.length === most))
}

const oldest = (lines: readonly Line[]): readonly Line[] => {
  const found = lines.find(({ isAsked }) => !isAsked) ?? lines[0]
  return found === undefined ? [] : [found]
}

async function close(server: Server, lines: ReadonlyMap<Socket, Line>): Promise<void> {
  const ended = new Promise<void>(resolve => server.close(() => resolve()))
  for (const { socket, isAsked } of lines.values()) if (!isAsked) reset(socket)
  const timer = setTimeout(() => {
    for (const socket of lines.keys()) reset(socket)
  }, CONNECTIONS.closing)
  await ended
  clearTimeout(timer)
}
