import { expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import { type Page, type Paging, pages } from '../../../src/kubernetes/list/pages.ts'

const expired = new ApiError('expired', { status: 410 })
const [first, last] = [{ metadata: { continue: 't/1' } }, { metadata: {} }]

/** Reads a list whose pages are these, in turn. */
async function list(answers: readonly (Page | Error)[], options: Partial<Paging<Page>> = {}) {
  const paths: string[] = []
  const read = async (path: string): Promise<Page> => {
    const answer = answers[paths.push(path) - 1]
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('one page too many')
    return answer
  }
  const found = Array.fromAsync(pages({ path: '/list', limit: 2, read, ...options }))
  return { outcome: await found.catch((error: unknown) => error), paths }
}

test('a list is read to the page without a continue token', async () => {
  const { outcome, paths } = await list([first, last])
  expect(outcome).toEqual([first, last])
  expect(paths).toEqual(['/list?limit=2', '/list?limit=2&continue=t%2F1'])
})

test('an expired token begins the list again, as often as is allowed', async () => {
  let restarts = 0
  const options = { restarts: 1, onRestart: () => void restarts++ }
  const { outcome, paths } = await list([first, expired, first, last], options)
  expect(outcome).toEqual([first, first, last])
  expect(paths).toEqual(['/list?limit=2', '/list?limit=2&continue=t%2F1', '/list?limit=2', '/list?limit=2&continue=t%2F1'])
  expect(restarts).toBe(1)
  expect((await list([first, expired, first, expired], options)).outcome).toBe(expired)
  expect((await list([first, expired])).outcome).toBe(expired)
})

test('any other failure, and 410 for the first page, ends the list', async () => {
  const options = { restarts: Number.POSITIVE_INFINITY }
  const failed = new ApiError('failed', { status: 500 })
  expect((await list([first, failed], options)).outcome).toBe(failed)
  expect((await list([expired], options)).outcome).toBe(expired)
})
