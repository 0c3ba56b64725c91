import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** `late`: each piece comes 300 ms later; `dripping`: one byte at a time, with a pause after each. */
export type Mood = 'quick' | 'late' | 'dripping'

/** Stands between a client and a server on 127.0.0.1; both speak TLS through it, and it passes on their bytes as its mood is. */
export interface SlowProxy {
  readonly url: string
  readonly be: (mood: Mood) => void
  /** Bytes that were passed on alone. */
  readonly dripped: () => number
  /** Ends all connections at once, with RST. */
  readonly reset: () => void
  readonly close: () => Promise<void>
}

const LATENCY = 300
const PAUSE = 1

export async function slowProxy(target: string): Promise<SlowProxy> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  const state: { mood: Mood; dripped: number } = { mood: 'quick', dripped: 0 }

  const pass = async (from: Socket, to: Socket): Promise<void> => {
    for await (const piece of from as AsyncIterable<Buffer>) {
      if (state.mood === 'late') await sleep(LATENCY)
      let done = 0
      for (; done < piece.length && state.mood === 'dripping'; done += 1) {
        to.write(piece.subarray(done, done + 1))
        state.dripped += 1
        await sleep(PAUSE)
      }
      if (done < piece.length) to.write(piece.subarray(done))
    }
    to.end()
  }

  const server = createServer(near => {
    const far = connect(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near]
    ] as const) {
      open.add(from.setNoDelay())
      from.on('error', () => to.destroy()).on('close', () => open.delete(from))
      pass(from, to).catch(() => to.destroy())
    }
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    be: mood => {
      state.mood = mood
    },
    dripped: () => state.dripped,
    reset: () => {
      for (const socket of open) socket.resetAndDestroy()
    },
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise(done => server.close(done))
    }
  }
}
