import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { keepNode } from '../../../src/agent/agent.ts'
import { createFirstLabels } from '../../../src/agent/first-labels.ts'
import { createWake } from '../../../src/agent/wake.ts'
import type { Observe } from '../../../src/agent/world.ts'
import { parseConfig } from '../../../src/cli/config.ts'
import { recordedHost } from '../../../src/host/recorded.ts'
import type { Call } from '../../../src/kubernetes/call.ts'
import type { Connection } from '../../../src/kubernetes/connection.ts'
import { identify } from '../../../src/kubernetes/identity.ts'
import type { Pace } from '../../../src/kubernetes/reconnect-window.ts'
import { snapshotOf } from '../../support/recorded-snapshot.ts'

const CLOCK = { elapsed: () => performance.now(), now: () => new Date() }
const KEY = 'berth.dev/gpu'

/** An API whose watch tells of the Node when it is let, and that knows us at once. */
function lateApi(told: Promise<unknown>) {
  const written: unknown[] = []
  const metadata = { name: 'n', uid: 'u', resourceVersion: '7' }
  const stream = async () =>
    (async function* () {
      await told
      yield new TextEncoder().encode(`${JSON.stringify({ type: 'ADDED', object: { kind: 'Node', metadata } })}\n`)
      await new Promise(() => undefined)
    })()
  const call = async (_: unknown, { method, body }: Call) => {
    if (method === 'POST') return { status: { userInfo: { username: 'berth' } } }
    const labels = (body as { readonly metadata?: { readonly labels?: Record<string, string> } }).metadata?.labels
    if (labels?.[KEY] !== undefined) written.push(labels[KEY])
    return { metadata: { ...metadata, labels } }
  }
  return { written, connection: { server: '', stream, call, close: async () => undefined } as unknown as Connection }
}

test('an observation without the Node is not written when the Node appears meanwhile', async () => {
  // Of one machine with and without its Node: a GPU that nobody offers to pods.
  const [blind, seeing] = [await snapshotOf('dell-a100-no-node'), await snapshotOf('dell-a100-no-plugin')]
  expect([blind.verdicts.gpu.answer, seeing.verdicts.gpu.answer]).toEqual(['yes', 'unknown'])
  const arrives = Promise.withResolvers<void>()
  const { written, connection } = lateApi(arrives.promise)
  const ending = new AbortController()
  const config = parseConfig(['run', '--node-name', 'n'], {}, {})
  const host = recordedHost({ schema: 1, paths: {} })
  const observe: Observe = async (_, { seen }) => {
    if (seen.node !== undefined) return seeing
    arrives.resolve()
    await sleep(200)
    return blind
  }
  const pause: Pace['sleep'] = (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined)
  const running = keepNode({
    ...{ config, host, connection, wake: createWake(), observe },
    world: {
      ...{ clock: CLOCK, signal: ending.signal, emit: () => undefined, host, early: host },
      ...{ random: () => 0.5, earlyConnection: { connection, identity: identify(connection), report: () => undefined } },
      ...{ sleep: pause, firstLabels: createFirstLabels(pause, ending.signal) }
    }
  })
  await expect.poll(() => written.length, { timeout: 20_000 }).toBeGreaterThan(0)
  await sleep(300)
  expect(new Set(written)).toEqual(new Set(['unknown']))
  ending.abort()
  running.catch(() => undefined)
})
