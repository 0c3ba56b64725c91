import type { Socket } from 'node:net'

/** A request as it came over the wire. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  readonly type: string
  readonly body: string
}

export interface Reply {
  readonly status: number
  readonly text?: string
  /** `undefined` where the real server sends none. */
  readonly type?: string | undefined
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error'
}

/** The bytes of an answer, by hand: a 204 has no length, and an error may have no type. */
export function bytesOf({ status, text, type }: Reply): string {
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Other'}`,
    ...(text === undefined ? [] : [`content-length: ${Buffer.byteLength(text)}`]),
    ...(type === undefined ? [] : [`content-type: ${type}`]),
    'date: Thu, 25 Jul 2024 10:00:00 GMT'
  ]
  return `${head.join('\r\n')}\r\n\r\n${text ?? ''}`
}

/** Reads requests off a connection, one after the other, as long as it is kept. */
export function readCalls(socket: Socket, take: (call: Call) => void): void {
  let held = Buffer.alloc(0)
  socket.on('data', chunk => {
    held = Buffer.concat([held, chunk as Buffer])
    for (;;) {
      const end = held.indexOf('\r\n\r\n')
      if (end < 0) return
      const [line = '', ...fields] = held.subarray(0, end).toString('latin1').split('\r\n')
      const headers = new Map(
        fields.map(field => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()])
      )
      const length = Number(headers.get('content-length') ?? 0)
      if (held.length < end + 4 + length) return
      const body = held.subarray(end + 4, end + 4 + length).toString('utf8')
      held = held.subarray(end + 4 + length)
      take(parse(line, headers.get('content-type') ?? '', body))
    }
  })
}

function parse(line: string, type: string, body: string): Call {
  const [method = '', target = ''] = line.split(' ')
  const [path = '', query = ''] = target.split('?')
  const pairs = query
    .split('&')
    .filter(pair => pair !== '')
    .map(pair => [pair.slice(0, pair.indexOf('=')), decodeURIComponent(pair.slice(pair.indexOf('=') + 1))] as const)
  return { method, path, query: new Map(pairs), type, body }
}
