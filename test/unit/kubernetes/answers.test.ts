import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import { type Limits, openConnection } from '../../../src/kubernetes/connection.ts'
import { identify } from '../../../src/kubernetes/identity.ts'
import { patchMetadata, readMetadata, readPodSecurity } from '../../../src/kubernetes/own-node.ts'
import { watchEvents } from '../../../src/kubernetes/watch-events.ts'
import { type Answers, fakeApi, text } from '../../cluster/fake-api.ts'
import { writeKubeconfig } from '../../cluster/kubeconfigs.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-answers-'))
const open: { readonly close: () => Promise<void> }[] = []
afterEach(() => Promise.all(open.splice(0).map(one => one.close())))
afterAll(() => rmSync(directory, { recursive: true }))

/** A connection to a server that answers so, over a real socket. */
async function answeredBy(answers: Answers, limits?: Limits) {
  const server = await fakeApi(answers)
  const kubeconfig = await writeKubeconfig(directory, {
    cluster: { server: `http://127.0.0.1:${server.port}`, 'insecure-skip-tls-verify': true },
    user: { token: 't' }
  })
  const connection = await openConnection(kubeconfig, limits && { limits })
  open.push(connection, server)
  return connection
}

/** More levels than a function that calls itself for each of them gets through. */
const NESTED = `${'['.repeat(20_000)}${']'.repeat(20_000)}`

describe('an answer that is JSON, and not what was asked for,', () => {
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
  ])('is a failure of the API, however it is asked: %.60s', async body => {
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
      expect(error).toMatchObject({ code: 'GARBAGE', transient: true })
      expect((error as Error).message.length).toBeLessThan(300)
    }
  })

  test('says nothing where it could: no labels are as good as null', async () => {
    const connection = await answeredBy(text(200, 'application/json', '{"metadata":{"uid":"u","labels":null}}'))
    expect(await readMetadata(connection, 'n')).toEqual({ uid: 'u', resourceVersion: '0', labels: {}, annotations: {} })
  })
})

const MIB = 1024 * 1024
const QUICK: Limits = { connect: 2_000, silence: 500, total: 1_500 }
const question = { tried: 'try', whenMissing: '' }

/** Begins like a list and goes on for as long as somebody reads, but for no more than 300 MiB; counts what it sent. */
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

/** One byte, and another one, for as long as somebody reads. */
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

describe('an answer without end', () => {
  const get = { method: 'GET', path: '/api/v1/nodes' } as const
  const { signal } = new AbortController()

  test('is read no further than the largest object there can be', async () => {
    const { sent, answers } = endless(200)
    const connection = await answeredBy(answers)
    expect(await failureOf(connection.call(question, get))).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('its answer does not end within 8 MiB')
    })
    expect(sent.bytes).toBeLessThan(32 * MIB)
  })

  test('is read no further than was said, when it is read as it comes', async () => {
    const { sent, answers } = endless(200)
    const connection = await answeredBy(answers)
    const read = async () =>
      drained(await connection.open(question, { ...get, silence: 500, longest: 5_000, most: 2 * MIB, signal }))
    expect(await failureOf(read())).toMatchObject({ code: 'TOO_LARGE' })
    expect(sent.bytes).toBeLessThan(32 * MIB)
  })

  test('of a refusal is quoted from its beginning', async () => {
    const { sent, answers } = endless(503)
    const connection = await answeredBy(answers)
    expect(await failureOf(connection.call(question, get))).toMatchObject({ status: 503, transient: true })
    expect(sent.bytes).toBeLessThan(32 * MIB)
  })

  test('of a refusal, one byte at a time, is given up, also by a watch', async () => {
    const connection = await answeredBy(dripping(503, 'x'), QUICK)
    const watched = { query: new URLSearchParams(), seconds: 300, most: MIB, signal }
    const asked = [
      () => connection.call(question, get),
      async () => drained(await connection.open(question, { ...get, silence: 5_000, longest: 60_000, most: MIB, signal })),
      () => drained(watchEvents(connection, question, watched))
    ]
    for (const ask of asked) {
      const began = performance.now()
      const { status, message } = await failureOf(ask())
      expect([status, message]).toEqual([503, expect.stringContaining('"xx')])
      expect(performance.now() - began).toBeLessThan(3_000)
    }
  })

  test('one byte at a time is given up, also where it is read as it comes', async () => {
    const connection = await answeredBy(dripping(200, ' '), QUICK)
    const asked = [
      () => connection.call(question, get),
      async () => drained(await connection.open(question, { ...get, silence: 5_000, longest: 1_500, most: MIB, signal }))
    ]
    for (const ask of asked) {
      const began = performance.now()
      expect(await failureOf(ask())).toMatchObject({ code: 'TimeoutError' })
      expect(performance.now() - began).toBeLessThan(4_000)
    }
  })

  test('of a watch ends soon after it was asked to', async () => {
    const connection = await answeredBy(dripping(200, '\n'))
    const began = performance.now()
    const watched = { query: new URLSearchParams(), seconds: -28, most: MIB, signal }
    expect(await failureOf(drained(watchEvents(connection, question, watched)))).toMatchObject({ code: 'TimeoutError' })
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
