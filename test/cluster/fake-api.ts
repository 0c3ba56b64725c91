import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'

/** For answers that a real API server does not give when it is asked to. */
export interface FakeApi {
  readonly port: number
  readonly requests: readonly string[]
  readonly close: () => Promise<void>
}

export interface Keys {
  readonly key: string | Buffer
  readonly cert: string | Buffer
}

export type Answers = (request: IncomingMessage, response: ServerResponse) => void

/** With TLS when keys are given. */
export async function fakeApi(answers: Answers, keys?: Keys): Promise<FakeApi> {
  const requests: string[] = []
  const listener: RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answers(request, response)
  }
  return { ...(await listening(keys ? createHttpsServer(keys, listener) : createHttpServer(listener))), requests }
}

/** Speaks whatever `greet` writes, and no HTTP. */
export const fakeTcp = async (greet: (socket: Socket) => void): Promise<FakeApi> => ({
  ...(await listening(createTcpServer(socket => greet(socket.on('error', () => undefined))))),
  requests: []
})

async function listening(server: Server): Promise<Omit<FakeApi, 'requests'>> {
  const open = new Set<Socket>()
  server.on('connection', socket => open.add(socket.on('close', () => open.delete(socket))))
  // On every loopback address, so that a certificate for 127.0.0.1 can be met under another name.
  await new Promise<void>(done => server.listen(0, '0.0.0.0', done))
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise(done => server.close(done))
    }
  }
}

/** As the API server words a refusal. */
export const refuse =
  (code: number, reason: string, headers: Readonly<Record<string, string>> = {}): Answers =>
  (_, response) =>
    json(
      response,
      code,
      { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `made up ${reason}`, reason, code },
      headers
    )

export function json(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export const text =
  (code: number, type: string, body: string): Answers =>
  (_, response) =>
    void response.writeHead(code, { 'content-type': type }).end(body)
