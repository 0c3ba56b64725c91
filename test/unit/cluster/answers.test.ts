import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../../src/cluster/api-error.ts'
import { openConnection } from '../../../src/cluster/connection.ts'
import { identify } from '../../../src/cluster/identity.ts'
import { patchMetadata, readMetadata, readPodSecurity } from '../../../src/cluster/own-node.ts'
import { type Answers, fakeApi, text } from '../../cluster/fake-api.ts'
import { writeKubeconfig } from '../../cluster/kubeconfigs.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-answers-'))
const open: { readonly close: () => Promise<void> }[] = []
afterEach(() => Promise.all(open.splice(0).map(one => one.close())))
afterAll(() => rmSync(directory, { recursive: true }))

/** A connection to a server that answers so, over a real socket. */
async function answeredBy(answers: Answers) {
  const server = await fakeApi(answers)
  const kubeconfig = await writeKubeconfig(directory, {
    cluster: { server: `http://127.0.0.1:${server.port}`, 'insecure-skip-tls-verify': true },
    user: { token: 't' }
  })
  const connection = await openConnection(kubeconfig)
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
