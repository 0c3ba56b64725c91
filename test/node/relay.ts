import { createServer as createHttpServer } from 'node:http'
import { createConnection, createServer, type ListenOptions, type NetConnectOpts, type Server } from 'node:net'
import process from 'node:process'

/** What comes to one address goes to another, such as a socket in a folder, which is reached from every network. */
export const relay = (from: ListenOptions, to: NetConnectOpts): Server =>
  createServer(near => {
    const far = createConnection(to)
    near.pipe(far).pipe(near)
    for (const side of [near, far]) side.on('error', () => [near.destroy(), far.destroy()])
  }).listen(from)

/** Who asks there by CONNECT reaches what this process reaches. */
const gate = (path: string): Server =>
  createHttpServer()
    .on('connect', ({ url = '' }, near, head) => {
      const { hostname, port } = new URL(`tcp://${url}`)
      const far = createConnection({ host: hostname, port: Number(port) }, () => {
        near.write('HTTP/1.1 200 OK\r\n\r\n')
        far.write(head)
        near.pipe(far).pipe(near)
      })
      for (const side of [near, far]) side.on('error', () => [near.destroy(), far.destroy()])
    })
    .listen(path)

// relay.ts HOST PORT SOCKET GATE: a node in a network of its own reaches the API server of this machine, and the API server its kubelet.
if (import.meta.main) {
  const [host = '', port, path = '', gatePath = ''] = process.argv.slice(2)
  relay({ host, port: Number(port) }, { path })
  gate(gatePath)
}
