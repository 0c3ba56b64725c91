import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { type AgentProcess, endAgents, eventually, startAgent } from '../support/cluster/agent-process.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { memoryLimit } from '../support/memory-limit.ts'
import { temporary } from '../unit/host/temporary.ts'

afterAll(endAgents)

const MIB = 1024 * 1024
/** Of the container, in manifests/base/daemonset.yaml. */
const LIMIT = 192 * MIB

/** An agent under the memory limit of its container, without an API server: it looks, and serves what it saw. */
async function limitedAgent(name: string): Promise<AgentProcess> {
  const limit = memoryLimit(`berth-${name}-${process.pid}`, LIMIT)
  const kubeconfig = await writeKubeconfig(temporary(), { cluster: { server: 'https://127.0.0.1:1' }, user: {} })
  const agent = await startAgent(name, kubeconfig)
  onTestFinished(async () => {
    await agent.kill('SIGKILL')
    await limit.remove()
  })
  limit.add(agent.pid)
  await eventually('it serves what it saw', async () => (await agent.get('/')).text.includes('Workspaces'), 20_000)
  return agent
}

/** Bytes of memory that the process had at most. */
const peakOf = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

/** Sends all of it at once, and never reads. */
function flood(port: number, bytes: string, from: string): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from })
  socket.on('error', () => undefined) // it is thrown out
  socket.pause()
  socket.write(bytes)
  return socket
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'

test.each([
  ['100 requests at once on each of 32 connections', 100, 32, 1],
  ['as many requests as fit into a megabyte on each of 64 connections', 30_000, 64, 3],
  ['one request on each of a thousand connections', 1, 1_000, 1]
])(
  'an agent under its memory limit lives on, and is small, while nobody reads the answers to %s',
  async (_, requests, lines, rounds) => {
    const agent = await limitedAgent(`flood-${requests}`)
    const port = await agent.port()
    const sockets: Socket[] = []
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
    })
    let slowest = 0
    for (let round = 0; round < rounds; round++) {
      for (let index = 0; index < lines; index++)
        sockets.push(flood(port, REQUEST.repeat(requests), `127.0.0.${2 + (index % 2)}`))
      for (let probe = 0; probe < 10; probe++) {
        const began = performance.now()
        expect((await agent.get('/healthz')).status).toBe(200)
        slowest = Math.max(slowest, performance.now() - began)
        await sleep(100)
      }
    }
    // For whoever wants to know; a busy machine makes it any number.
    console.log(`peak ${Math.round(peakOf(agent.pid) / MIB)} MiB, slowest probe ${Math.round(slowest)} ms`)
    expect(agent.alive()).toBe(true)
    expect(peakOf(agent.pid)).toBeLessThan(110 * MIB)
  }
)
