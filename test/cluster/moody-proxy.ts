import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import type { ControlPlaneAddress } from '../support/cluster/control-plane.ts'
import { type Answers, fakeApi } from './fake-api.ts'

/** Stands before the control plane under its own certificate, and passes on what it does not answer itself; the token with it. */
export interface MoodyProxy {
  readonly url: string
  /** From now on watches, or all requests, are answered so; what is open breaks off. */
  readonly be: (answer: Answers | undefined, what?: 'watches' | 'all') => void
  /** Requests that it has answered itself in this mood. */
  readonly seen: () => number
  /** Breaks off whatever is open. */
  readonly cut: () => void
  readonly close: () => Promise<void>
}

export async function moodyProxy(cluster: ControlPlaneAddress): Promise<MoodyProxy> {
  const read = (name: string) => readFile(join(cluster.directory, name))
  const [key, cert] = await Promise.all(['server.key', 'server.crt'].map(read))
  const mood: { answer: Answers | undefined; what: 'watches' | 'all'; seen: number } = { answer: undefined, what: 'all', seen: 0 }
  const open = new Map<ServerResponse, { readonly isWatch: boolean }>()
  const fake = await fakeApi(
    (incoming, response) => {
      const isWatch = incoming.url?.includes('watch=1') ?? false
      if (mood.answer !== undefined && (isWatch || mood.what === 'all')) {
        mood.seen += 1
        mood.answer(incoming, response)
        return
      }
      passOn(cluster, incoming, response)
      open.set(response, { isWatch })
      response.on('close', () => open.delete(response))
    },
    { key: key as Buffer, cert: cert as Buffer }
  )
  const cut = (what: 'watches' | 'all'): void => {
    for (const [response, { isWatch }] of open) if (isWatch || what === 'all') response.destroy()
  }
  return {
    be: (answer, what = 'watches') => {
      Object.assign(mood, { answer, what, seen: 0 })
      cut(what)
    },
    seen: () => mood.seen,
    cut: () => cut('all'),
    url: `https://127.0.0.1:${fake.port}`,
    close: fake.close
  }
}

function passOn({ url, ca }: ControlPlaneAddress, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = incoming
  const onward = request(new URL(incoming.url ?? '/', url), { method, headers, ca, agent: false as const }, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.on('error', () => response.destroy()).pipe(response)
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  incoming.pipe(onward)
}
