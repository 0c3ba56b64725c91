import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer, Api } from '../support/cluster/api.ts'
import { type FakeApi, fakeApi, json } from './fake-api.ts'

export interface Passing {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Asks the real API server, as the administrator. */
  readonly pass: () => Promise<Answer<unknown>>
}

/** Stands before a real API server: each request goes through `meddle`, which passes it on, or does something else first. */
export const meddler = (api: Api, meddle: (passing: Passing) => Promise<Answer<unknown>>): Promise<FakeApi> =>
  fakeApi((request, response) => void answer(api, meddle, request, response))

type Meddle = Parameters<typeof meddler>[1]

async function answer(api: Api, meddle: Meddle, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString()
  const { method = '', url: path = '' } = request
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  const { status, body: said } = await meddle({
    ...{ method, path },
    pass: () => api(method, path, body, request.headers['content-type'])
  })
  json(response, status, said)
}

export const refusal = (code: number, reason: string): Answer<unknown> => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `made up ${reason}`, reason, code }
})
