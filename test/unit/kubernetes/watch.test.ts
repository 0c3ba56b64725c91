import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import type { StreamCall } from '../../../src/kubernetes/call.ts'
import type { Connection } from '../../../src/kubernetes/connection.ts'
import { watchNode } from '../../../src/kubernetes/own-node/watch.ts'

/** How one stream goes: what it says, how long it lives (seconds), and how it ends. */
interface Stream {
  readonly says?: readonly object[]
  readonly lives?: number
  readonly breaks?: ApiError
}

const node = (version: string) => ({ type: 'ADDED', object: { metadata: { name: 'n', resourceVersion: version } } })
const bookmark = (version: string) => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion: version } } })
const forgotten = { type: 'ERROR', object: { code: 410, message: 'too old resource version' } }
const cut = new ApiError('cut', { code: 'ECONNRESET', transient: true })
const forbidden = new ApiError('forbidden', { status: 403 })

/** Which version each stream asked for, and how long was waited before it (milliseconds, half of what is possible). */
async function story(...streams: readonly Stream[]) {
  const asked: string[] = []
  const lost: number[] = []
  const seen: (string | undefined)[] = []
  const ending = new AbortController()
  let now = 0
  let waited = 0
  const stream = async (_: unknown, { path }: StreamCall) => {
    const query = new URL(path, 'http://api').searchParams
    asked.push(`${query.get('resourceVersion')} after ${waited}`)
    waited = 0
    const { says = [], lives = Number(query.get('timeoutSeconds')), breaks } = streams[asked.length - 1] ?? {}
    if (asked.length > streams.length) ending.abort()
    return (async function* () {
      for (const event of says) yield new TextEncoder().encode(`${JSON.stringify(event)}\n`)
      now += lives * 1000
      if (breaks !== undefined) throw breaks
    })()
  }
  await watchNode(
    { server: '', stream } as unknown as Connection,
    'n',
    {
      onNode: node => seen.push(node?.metadata?.resourceVersion),
      onLost: () => lost.push(asked.length),
      ...{ onAlive: () => undefined, onRestart: () => undefined }
    },
    {
      ...{ random: () => 0.5, signal: ending.signal, clock: { elapsed: () => now } },
      sleep: async milliseconds => {
        waited += milliseconds
        now += milliseconds
      }
    }
  )
  return { asked, lost, seen }
}

describe('a watch that ended is opened again', () => {
  test('at once and from its last version, when it lasted as long as was asked for', async () => {
    expect(await story({ says: [node('7')] })).toEqual({ asked: ['0 after 0', '7 after 0'], lost: [], seen: ['7'] })
  })

  test('within the window and from the beginning, when the server ended it before its time, as one does that is stopped', async () => {
    const { asked, lost } = await story({ says: [node('7')], lives: 100 })
    expect(asked).toEqual(['0 after 0', '0 after 6000'])
    expect(lost).toEqual([1])
  })

  test('within the window and from the beginning, when it was cut, and then once a window', async () => {
    const { asked } = await story({ says: [node('7')], breaks: cut }, { breaks: cut }, { breaks: cut })
    expect(asked).toEqual(['0 after 0', '0 after 6000', '0 after 12000', '0 after 12000'])
  })

  test('at once and from the beginning, when only the version that it asked for is forgotten', async () => {
    const { asked, lost } = await story({ says: [node('7')] }, { says: [forgotten], lives: 0 })
    expect(asked).toEqual(['0 after 0', '7 after 0', '0 after 0'])
    expect(lost).toEqual([])
  })

  test('within the window, when the version expires during the stream, as it does for all agents', async () => {
    const { asked } = await story({ says: [node('7'), forgotten], lives: 10 })
    expect(asked).toEqual(['0 after 0', '0 after 6000'])
  })

  test('and the server does not count as lost when it only refuses the watch, because it may still accept writes', async () => {
    const { asked, lost } = await story({ says: [node('7')], breaks: cut }, { breaks: forbidden, lives: 0 })
    expect(asked).toEqual(['0 after 0', '0 after 6000', '0 after 12000'])
    expect(lost).toEqual([1])
  })
})

test('a Node that was deleted while the watch was broken is reported as deleted', async () => {
  const { seen } = await story(
    { says: [node('7'), bookmark('8')], breaks: cut },
    { says: [bookmark('9'), node('10'), bookmark('11')], breaks: cut }
  )
  expect(seen).toEqual(['7', undefined, '10'])
})
