import { createServer, type Server } from 'node:net'
import process from 'node:process'

// Below the kernel's range for outgoing connections (32768 and up): while the control plane is down, nobody's outgoing
// connection can be given its port, and a client that keeps trying cannot connect to itself.
const lowest = 20_000
const highest = 32_767

// What is started listens only a moment after its port was given free. So that nobody is given the same one meanwhile, each worker of
// vitest (at most 8 at a time, numbered from 1; its global setup has no number) has ports of its own, and takes them in turn.
const share = Math.floor((highest - lowest + 1) / 9)
const first = lowest + share * (Number(process.env['VITEST_POOL_ID'] ?? 0) % 9)
let turn = Math.floor(Math.random() * share)

/** A port on 127.0.0.1 held open, so that the next one differs. It was free a moment ago, which is no promise for the next. */
export interface HeldPort {
  readonly port: number
  readonly release: () => Promise<void>
}

export async function holdFreePort(): Promise<HeldPort> {
  for (;;) {
    turn = (turn + 1) % share
    const port = first + turn
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
