import { createConnection, createServer, type ListenOptions, type NetConnectOpts, type Server } from 'node:net'
import process from 'node:process'

/** What comes to one address goes to another, such as a socket in a folder, which is reached from every network. */
export const relay = (from: ListenOptions, to: NetConnectOpts): Server =>
  createServer(near => {
    const far = createConnection(to)
    near.pipe(far).pipe(near)
    for (const side of [near, far]) side.on('error', () => [near.destroy(), far.destroy()])
  }).listen(from)

// relay.ts HOST PORT SOCKET: a node in a network of its own reaches the API server of this machine.
if (import.meta.main) {
  const [host = '', port, path = ''] = process.argv.slice(2)
  relay({ host, port: Number(port) }, { path })
}
