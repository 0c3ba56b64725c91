import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server on 127.0.0.1 and passes bytes on. */
export interface CountingProxy {
  readonly url: string
  /** How many connections clients have opened so far. */
  readonly accepted: () => number
  /** How many bytes the server has sent so far, as they are on the wire. */
  readonly received: () => number
  /** What is connected now stays connected and carries nothing any more, as when a firewall forgets it; new ones work. */
  readonly swallow: () => void
  readonly close: () => Promise<void>
}

export async function countingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let accepted = 0
  let received = 0
  const server = createServer(near => {
    accepted++
    const far = connect(Number(port), hostname).on('data', piece => {
      received += piece.length
    })
    for (const [from, to] of [
      [near, far],
      [far, near]
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accepted: () => accepted,
    received: () => received,
    swallow: () => {
      for (const socket of open) socket.unpipe().on('data', () => undefined)
    },
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise(done => server.close(done))
    }
  }
}
