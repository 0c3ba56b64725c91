import type { Server as HttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { firstHead } from './request-head.ts'

/** Limits of connections (numbers and milliseconds). The kubelet's probes must get through even if a pod floods the port. */
export const CONNECTIONS = {
  most: 64,
  /** The most from one address: the kubelet and Prometheus have other addresses than a hostile pod. */
  perAddress: 32,
  /** Until the request has arrived. */
  asking: 5_000,
  /** Without progress in sending the response. */
  idle: 5_000,
  /** From the beginning to the end of a connection. */
  life: 30_000,
  closing: 500
} as const

/** One connection. It serves one request. */
interface Connection {
  readonly socket: Socket
  readonly address: string
  isAsked: boolean
}

export interface Connections {
  readonly server: Server
  /** Ends within half a second; requests that have arrived are answered. */
  readonly close: () => Promise<void>
}

/**
 * Accepts the connections of an HTTP server and limits the memory that all clients together can use. The server gets the head of one
 * request for each connection and nothing after it, because a parser would create objects for everything that arrives.
 *
 * A new connection is always accepted. If that makes too many, the address with the most connections loses its oldest idle one, or its
 * oldest one if none is idle. So a client with many connections cannot lock out a client with one.
 */
export function connectionsBefore(http: HttpServer, mostHead: number): Connections {
  const connections = new Map<Socket, Connection>() // the oldest first
  const server = createServer({ allowHalfOpen: true }, socket => {
    const connection: Connection = { socket, address: socket.remoteAddress ?? '', isAsked: false }
    connections.set(socket, connection)
    const timers = [setTimeout(() => reset(socket), CONNECTIONS.life)]
    const asking = setTimeout(() => reset(socket), CONNECTIONS.asking)
    socket.once('close', () => {
      for (const timer of [asking, ...timers]) clearTimeout(timer)
      connections.delete(socket)
    })
    socket.on('error', () => undefined) // 'close' follows
    for (const one of surplus([...connections.values()], connection.address)) {
      connections.delete(one.socket) // its 'close' may come after the next connection
      reset(one.socket)
    }
    firstHead(socket, mostHead, head => {
      clearTimeout(asking)
      connection.isAsked = true
      socket.setTimeout(CONNECTIONS.idle, () => reset(socket))
      http.emit('connection', oneRequest(socket, head))
    })
  })
  return { server, close: () => close(server, connections) }
}

/** If a socket is closed, the kernel keeps an unread response in memory for minutes; if it is reset, it keeps nothing. */
const reset = (socket: Socket): void => void socket.resetAndDestroy()

/**
 * The part of a connection that the HTTP server sees: one head, and a way to send the response. After the response the client closes, as
 * `Connection: close` asks, and has then read all of it.
 */
function oneRequest(socket: Socket, head: Buffer): Duplex {
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

/** The connection to reset, if any, now that this address has one more. */
function surplus(connections: readonly Connection[], address: string): readonly Connection[] {
  const own = connections.filter(connection => connection.address === address)
  if (own.length > CONNECTIONS.perAddress) return oldest(own)
  if (connections.length <= CONNECTIONS.most) return []
  const byAddress = Map.groupBy(connections, connection => connection.address)
  const most = Math.max(...[...byAddress.values()].map(({ length }) => length))
  return oldest(connections.filter(connection => byAddress.get(connection.address)?.length === most))
}

const oldest = (connections: readonly Connection[]): readonly Connection[] => {
  const found = connections.find(({ isAsked }) => !isAsked) ?? connections[0]
  return found === undefined ? [] : [found]
}

async function close(server: Server, connections: ReadonlyMap<Socket, Connection>): Promise<void> {
  const ended = new Promise<void>(resolve => server.close(() => resolve()))
  for (const { socket, isAsked } of connections.values()) if (!isAsked) reset(socket)
  const timer = setTimeout(() => {
    for (const socket of connections.keys()) reset(socket)
  }, CONNECTIONS.closing)
  await ended
  clearTimeout(timer)
}
