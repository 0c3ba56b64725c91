import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import type { Timeouts } from '../../../src/kubernetes/call.ts'
import { openConnection } from '../../../src/kubernetes/connection.ts'
import { identify } from '../../../src/kubernetes/identity.ts'
import { patchMetadata } from '../../../src/kubernetes/own-node/patch.ts'
import { readMetadata } from '../../../src/kubernetes/own-node/read.ts'
import { readPodSecurity } from '../../../src/kubernetes/pod-security.ts'
import { watchStream } from '../../../src/kubernetes/watch-stream.ts'
import { type Answers, fakeApi, text } from '../../cluster/fake-api.ts'
import { writeKubeconfig } from '../../support/cluster/kubeconfigs.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-answers-'))
const open: { readonly close: () => Promise<void> }[] = []
afterEach(() => Promise.all(open.splice(0).map(one => one.close())))
afterAll(() => rmSync(directory, { recursive: true }))

/** A connection to a server that answers so, over a real socket. */
async function answeredBy(answers: Answers, timeouts?: Timeouts) {
  const server = await fakeApi(answers)
  const kubeconfig = await writeKubeconfig(directory, {
    cluster: { server: `http://127.0.0.1:${server.port}`, 'insecure-skip-tls-verify': true },
    user: { token: 't' }
  })
  const connection = await openConnection(kubeconfig, timeouts && { timeouts })
  open.push(connection, server)
  return connection
}

/** More levels than a function that calls itself for each of them gets through. */
const NESTED = `${'['.repeat(20_000)}${']'.repeat(20_000)}`

describe('a response that is JSON, but not what was requested,', () => {
  test.each([
    'null',
    '7',
    '[]',
    NESTED,
    '{"metadata":null}',
    '{"metadata":[]}',
    '{"metadata":{"labels":"x"}}',
    '{"metadata":{"labels":{"a":null}}}',
    `{"metadata":{"labels":{"a":${NESTED}}},"status":${NESTED}}`
  ])('is an `ApiError` for every request: %.60s', async body => {
    const connection = await answeredBy(text(200, 'application/json', body))
    const nothing = { uid: 'u', labels: {}, annotations: {} }
    const asked = [
      () => readMetadata(connection, 'n'),
      () => patchMetadata(connection, 'n', nothing),
      () => readPodSecurity(connection, 'n'),
      () => identify(connection)
    ]
    for (const ask of asked) {
      const error = await ask().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ApiError)
      expect(error).toMatchObject({ code: 'INVALID_RESPONSE', transient: true })
      expect((error as Error).message.length).toBeLessThan(300)
    }
  })

  test('may have null in place of labels', async () => {
    const connection = await answeredBy(text(200, 'application/json', '{"metadata":{"uid":"u","labels":null}}'))
    expect(await readMetadata(connection, 'n')).toEqual({ uid: 'u', resourceVersion: '0', labels: {}, annotations: {} })
  })
})

const MIB = 1024 * 1024
const QUICK: Timeouts = { connect: 2_000, idle: 500, total: 1_500 }
const purpose = { action: 'try', ifNotFound: '' }

/** Begins like a list and continues while it is read, up to 300 MiB; counts the bytes sent. */
function endless(code: number) {
  const sent = { bytes: 0 }
  const piece = Buffer.from('{"metadata":{}},'.repeat(4_096))
  const answers: Answers = (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json' }).write('{"kind":"NodeList","items":[')
    const more = (): void => {
      while (!response.destroyed && sent.bytes < 300 * MIB) {
        sent.bytes += piece.length
        if (!response.write(piece)) return
      }
      response.end()
    }
    response.on('drain', more)
    more()
  }
  return { sent, answers }
}

/** One byte every 50 ms while it is read. */
const dripping =
  (code: number, byte: string): Answers =>
  (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json' })
    const drips = setInterval(() => response.write(byte), 50)
    response.on('close', () => clearInterval(drips))
  }

const failureOf = async (asked: Promise<unknown>): Promise<ApiError> => {
  const error = await asked.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ApiError)
  return error as ApiError
}

async function drained(pieces: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of pieces);
}

describe('a response that does not end', () => {
  const get = { method: 'GET', path: '/api/v1/nodes' } as const
  const { signal } = new AbortController()

  test('is read up to the size of the largest object', async () => {
    const { sent, answers } = endless(200)
    const connection = await answeredBy(answers)
    expect(await failureOf(connection.call(purpose, get))).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('its response is larger than 8 MiB')
    })
    expect(sent.bytes).toBeLessThan(32 * MIB)
  })

  test('is read up to maxBytes, as a stream', async () => {
    const { sent, answers } = endless(200)
    const connection = await answeredBy(answers)
    const read = async () =>
      drained(await connection.stream(purpose, { ...get, idleTimeout: 500, totalTimeout: 5_000, maxBytes: 2 * MIB, signal }))
    expect(await failureOf(read())).toMatchObject({ code: 'TOO_LARGE' })
    expect(sent.bytes).toBeLessThan(32 * MIB)
  })

  test('to a refused request is quoted from its beginning', async () => {
    const { sent, answers } = endless(503)
    const connection = await answeredBy(answers)
    expect(await failureOf(connection.call(purpose, get))).toMatchObject({ status: 503, transient: true })
    expect(sent.bytes).toBeLessThan(32 * MIB)
  })

  test('to a refused request, one byte at a time, ends by the idle timeout, for a watch too', async () => {
    const connection = await answeredBy(dripping(503, 'x'), QUICK)
    const watched = { query: new URLSearchParams(), seconds: 300, maxBytes: MIB, signal }
    const asked = [
      () => connection.call(purpose, get),
      async () =>
        drained(await connection.stream(purpose, { ...get, idleTimeout: 5_000, totalTimeout: 60_000, maxBytes: MIB, signal })),
      () => drained(watchStream(connection, purpose, watched))
    ]
    for (const ask of asked) {
      const began = performance.now()
      const { status, message } = await failureOf(ask())
      expect([status, message]).toEqual([503, expect.stringContaining('"xx')])
      expect(performance.now() - began).toBeLessThan(3_000)
    }
  })

  test('one byte at a time ends by the total timeout, as a stream too', async () => {
    const connection = await answeredBy(dripping(200, ' '), QUICK)
    const asked = [
      () => connection.call(purpose, get),
      async () =>
        drained(await connection.stream(purpose, { ...get, idleTimeout: 5_000, totalTimeout: 1_500, maxBytes: MIB, signal }))
    ]
    for (const ask of asked) {
      const began = performance.now()
      expect(await failureOf(ask())).toMatchObject({ code: 'TimeoutError' })
      expect(performance.now() - began).toBeLessThan(4_000)
    }
  })

  test('to a watch is broken off soon after the server was asked to end it', async () => {
    const connection = await answeredBy(dripping(200, '\n'))
    const began = performance.now()
    const watched = { query: new URLSearchParams(), seconds: -28, maxBytes: MIB, signal }
    expect(await failureOf(drained(watchStream(connection, purpose, watched)))).toMatchObject({ code: 'TimeoutError' })
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
