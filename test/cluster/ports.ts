import { createServer, type Server } from 'node:net'

// Below the kernel's range for outgoing connections (32768 and up): while the control plane is down, nobody's outgoing
// connection can be given its port, and a client that keeps trying cannot connect to itself.
const lowest = 20_000
const highest = 32_767

/** A port on 127.0.0.1 held open, so that the next one differs. It was free a moment ago, which is no promise for the next. */
export interface HeldPort {
  readonly port: number
  readonly release: () => Promise<void>
}

export async function holdFreePort(): Promise<HeldPort> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1))
    const server = await bind(port)
    if (server) return { port, release: () => new Promise(done => server.close(() => done())) }
  }
}

function bind(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('listening', () => resolve(server))
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(port, '127.0.0.1')
  })
}
