import { expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import type { Call } from '../../../src/kubernetes/call.ts'
import type { Connection } from '../../../src/kubernetes/connection.ts'
import { listObjects } from '../../../src/kubernetes/list/objects.ts'

const { signal } = new AbortController()
const PODS = { resource: 'pods', path: '/api/v1/namespaces/ws/pods', namespace: 'ws' }

/** A connection that answers each request in turn. */
function answering(...answers: readonly unknown[]) {
  const asked: Call[] = []
  const call = async <T>(_: unknown, request: Call): Promise<T> => {
    const answer = answers[asked.push(request) - 1]
    if (answer instanceof Error) throw answer
    return answer as T
  }
  return { asked, connection: { server: 'https://api', call } as unknown as Connection }
}

test('a list continues where its last page ended, until the last page', async () => {
  const { asked, connection } = answering({ metadata: { continue: 'a+b' }, items: [1, 2] }, { items: [3] })
  expect(await Array.fromAsync(listObjects(connection, PODS, signal))).toEqual([1, 2, 3])
  expect(asked.map(({ path }) => path)).toEqual([`${PODS.path}?limit=500`, `${PODS.path}?limit=500&continue=a%2Bb`])
})

test('metadata alone is asked for where that is enough', async () => {
  const { asked, connection } = answering({ items: [] }, { items: [] })
  for (const metadataOnly of [true, false]) await Array.fromAsync(listObjects(connection, { ...PODS, metadataOnly }, signal))
  expect(asked.map(({ accept }) => accept?.includes('PartialObjectMetadataList'))).toEqual([true, false])
})

test('a refusal names the permission that is missing, and any other failure is left as it is', async () => {
  const failed = new ApiError('it has an internal error (500)', { status: 500 })
  const refused = new ApiError('a long story', { status: 403 })
  await expect(Array.fromAsync(listObjects(answering(refused).connection, PODS, signal))).rejects.toMatchObject({
    ...{ status: 403, message: 'not checked: these credentials may not list pods in the Namespace "ws"' }
  })
  await expect(Array.fromAsync(listObjects(answering(failed).connection, PODS, signal))).rejects.toBe(failed)
})
