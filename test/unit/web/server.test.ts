import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../../src/cycle/snapshot.ts'
import { CONNECTIONS } from '../../../src/web/connections.ts'
import { type HttpServer, type HttpSources, LONGEST_HEAD, startHttp } from '../../../src/web/server.ts'
import { snapshotOf, statusOf } from '../../support/recorded-snapshot.ts'

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf('bottlerocket-fresh')
})

const opened: (HttpServer | Socket)[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await ('close' in one ? one.close() : one.destroy())
})

const sources = (more: Partial<HttpSources> = {}): HttpSources => ({
  metrics: { text: async () => 'berth_build_info 1\n', contentType: 'text/plain; version=0.0.4; charset=utf-8' },
  health: () => ({ ok: true, because: 'the last look was 3 s ago' }),
  ready: () => ({ ok: true, because: 'the labels were published' }),
  status: () => statusOf(snapshot),
  failed: () => undefined,
  ...more
})

async function start(more: Partial<HttpSources> = {}): Promise<string> {
  const server = await startHttp({ listen: '127.0.0.1:0', sources: sources(more) })
  opened.push(server)
  return server.address
}

const get = async (address: string, path: string, init?: RequestInit) => {
  const response = await fetch(`http://${address}${path}`, init)
  return { status: response.status, headers: response.headers, body: await response.text() }
}

/** A connection from an address of its own on this machine (127.0.0.0/8), all that it was sent, and its end. */
function dial(address: string, from = '127.0.0.1') {
  const [host, port] = address.split(':') as [string, string]
  const socket = connect({ host, port: Number(port), localAddress: from })
  opened.push(socket)
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  socket.on('error', () => undefined)
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  return { socket, closed, text: () => text }
}

/** Sends bytes as they are, and resolves to all that came back until the server ended the connection. */
async function raw(address: string, bytes: string): Promise<string> {
  const line = dial(address)
  line.socket.write(bytes)
  await line.closed
  return line.text()
}

/** What came back for a probe on a connection of its own: nothing where there was no room. */
const answered = (address: string, from?: string): Promise<string> => {
  const line = dial(address, from)
  line.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  return line.closed.then(line.text)
}

/** What the kernel holds for a server on this machine: its connections, and what their clients did not take yet. */
function unread(address: string): { readonly connections: number; readonly bytes: number } {
  const port = Number(address.split(':')[1]).toString(16).toUpperCase().padStart(4, '0')
  const held = readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    // Not those that listen (0A), and not those that are over (06).
    .filter(([, local = '', , state = '']) => local.endsWith(`:${port}`) && state !== '0A' && state !== '06')
  return {
    connections: held.length,
    bytes: held.reduce((sum, [, , , , queues = '']) => sum + Number.parseInt(queues.split(':')[0] ?? '', 16), 0)
  }
}

describe('each path', () => {
  test.each([
    ['/metrics', 'text/plain; version=0.0.4; charset=utf-8', 'berth_build_info 1'],
    ['/healthz', 'text/plain; charset=utf-8', 'the last look was 3 s ago\n'],
    ['/readyz', 'text/plain; charset=utf-8', 'the labels were published\n'],
    ['/status.json', 'application/json', '"schema":1'],
    ['/status.json?pretty=1', 'application/json', '"schema":1'],
    ['/', 'text/html; charset=utf-8', '<!doctype html>']
  ])('%s answers as %s', async (path, type, part) => {
    const address = await start()
    const { status, headers, body } = await get(address, path)
    expect({ status, type: headers.get('content-type') }).toEqual({ status: 200, type })
    expect(body).toContain(part)
    const head = await get(address, path, { method: 'HEAD' })
    expect({ status: head.status, body: head.body, length: head.headers.get('content-length') }).toEqual({
      status: 200,
      body: '',
      length: String(Buffer.byteLength(body))
    })
  })

  test('has headers that let a browser only show it', async () => {
    const address = await start()
    for (const path of ['/', '/metrics', '/nothing']) {
      const { headers } = await get(address, path)
      expect(headers.get('content-security-policy')?.replace(/'sha256-[\w+/]{43}='/, 'HASH')).toBe(
        "default-src 'none'; style-src HASH; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      )
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.has('x-powered-by') || headers.has('server')).toBe(false)
    }
  })

  test.each([
    '/nothing',
    '/metrics/',
    '//metrics',
    '/%2e%2e/etc/passwd',
    '/constructor',
    '/__proto__',
    '/<script>alert(1)</script>',
    '/Metrics'
  ])('that does not exist (%s) is a 404 that repeats nothing', async path => {
    const { status, body } = await get(await start(), path)
    expect(status).toBe(404)
    expect(body).toBe('not found; the paths are / /status.json /metrics /healthz /readyz\n')
  })
})

describe('health', () => {
  test('is called for each request', async () => {
    const health = { ok: true, because: 'it moves' }
    const address = await start({ health: () => ({ ...health }) })
    expect((await get(address, '/healthz')).status).toBe(200)
    Object.assign(health, { ok: false, because: 'the loop stands still for 190 s' })
    expect(await get(address, '/healthz')).toMatchObject({ status: 503, body: 'the loop stands still for 190 s\n' })
  })

  test('readiness stays once it was reached', async () => {
    const ready = { ok: false, because: 'no labels yet' }
    const address = await start({ ready: () => ({ ...ready }) })
    expect(await get(address, '/readyz')).toMatchObject({ status: 503, body: 'no labels yet\n' })
    ready.ok = true
    expect((await get(address, '/readyz')).status).toBe(200)
    ready.ok = false
    expect((await get(address, '/readyz')).status).toBe(200)
  })

  test('the error of a source is logged and not sent to the client', async () => {
    const failures: unknown[] = []
    const error = new Error('secret path /etc/shadow')
    const fail = (): never => {
      throw error
    }
    const address = await start({
      status: fail,
      metrics: { text: () => Promise.reject(error), contentType: 'text/plain' },
      failed: failure => void failures.push(failure)
    })
    for (const path of ['/', '/status.json', '/metrics']) {
      expect(await get(address, path)).toMatchObject({ status: 500, body: 'internal error; see the log of the agent\n' })
    }
    expect(failures).toEqual([error, error, error])
    expect((await get(address, '/healthz')).status).toBe(200)
  })
})

describe('a request', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])('with %s is refused', async method => {
    const { status, headers } = await get(await start(), '/metrics', { method })
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow: 'GET, HEAD' })
  })

  test.each([
    ['a length', 'Content-Length: 5\r\n\r\nhello'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
    ['the question whether to go on', 'Content-Length: 5\r\nExpect: 100-continue\r\n\r\n']
  ])('that brings a body with %s is refused, and its connection ends', async (_, rest) => {
    const text = await raw(await start(), `GET /metrics HTTP/1.1\r\nHost: x\r\n${rest}`)
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(text).toContain('Connection: close')
  })

  test('cannot smuggle a second one behind a body', async () => {
    const text = await raw(
      await start(),
      'POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\n\r\nGET /status.json HTTP/1.1\r\nHost: x\r\n\r\n......'
    )
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 405'])
  })

  test.each([
    ['headers past 8 KiB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(LONGEST_HEAD)}\r\n\r\n`, '431'],
    ['a line past 8 KiB', `GET /${'a'.repeat(LONGEST_HEAD)} HTTP/1.1\r\nHost: x\r\n\r\n`, '431'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', '400'],
    ['something that is no HTTP', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', '400'],
    ['two lengths', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', '400']
  ])('with %s is refused', async (_, bytes, status) => {
    expect(await raw(await start(), bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })

  test('may have many headers, as long as they are small', async () => {
    const headers = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-${index}`, 'a'.repeat(40)]))
    expect((await get(await start(), '/healthz', { headers })).status).toBe(200)
  })
})

describe('a connection', () => {
  test('that sends nothing, or no complete request, is closed', async () => {
    const address = await start()
    const [silent, slow] = [dial(address), dial(address)]
    slow.socket.write('GET / HTTP/1.1\r\nHost: x\r\n')
    const drip = setInterval(() => slow.socket.write('X: y\r\n'), 500)
    await Promise.all([silent.closed, slow.closed])
    clearInterval(drip)
    expect(silent.text() + slow.text()).toBe('')
  })

  test('above the limit of one address closes its oldest, and other addresses keep theirs', async () => {
    const address = await start()
    const [first, ...others] = [dial(address, '127.0.0.8'), dial(address, '127.0.0.8')]
    const lines = Array.from({ length: CONNECTIONS.perAddress + 10 }, () => dial(address, '127.0.0.9'))
    await Promise.all(lines.slice(0, 10).map(({ closed }) => closed))
    expect(lines.filter(({ socket }) => !socket.destroyed)).toHaveLength(CONNECTIONS.perAddress)
    expect([first, ...others].map(line => line?.socket.destroyed)).toEqual([false, false])
    expect(await answered(address, '127.0.0.9')).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('that waits for its response is kept, and an idle one is closed instead', async () => {
    const answer = Promise.withResolvers<string>()
    const address = await start({ metrics: { text: () => answer.promise, contentType: 'text/plain' } })
    const asking = dial(address, '127.0.0.9')
    asking.socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await answered(address)).toMatch(/^HTTP\/1\.1 200 /) // so that one was heard
    const idle = Array.from({ length: CONNECTIONS.perAddress }, () => dial(address, '127.0.0.9'))
    await idle[0]?.closed
    answer.resolve('at last\n')
    await asking.closed
    expect(asking.text()).toContain('at last')
  })

  test.each([
    ['say nothing', ''],
    ['never read their answer', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n']
  ])('is there for a probe while two addresses hold all, and %s', async (_, bytes) => {
    const address = await start()
    const lines = Array.from({ length: CONNECTIONS.most }, (_, index) => dial(address, `127.0.0.${1 + (index % 2)}`))
    for (const { socket } of lines) {
      socket.pause()
      socket.write(bytes)
    }
    await Promise.all(lines.map(({ socket }) => once(socket, 'connect')))
    expect(await answered(address, '127.0.0.3')).toMatch(/^HTTP\/1\.1 200 /)
    // Answered in time means: before those who hold all others had to go.
    expect(lines.filter(({ socket }) => !socket.destroyed).length).toBeGreaterThanOrEqual(CONNECTIONS.most - 2)
  })

  test('of an address with few is never closed for one of an address with many', async () => {
    const address = await start()
    const probe = dial(address, '127.0.0.3')
    await once(probe.socket, 'connect')
    const lines = Array.from({ length: 3 * CONNECTIONS.most }, (_, index) => dial(address, `127.0.0.${4 + (index % 3)}`))
    await lines[0]?.closed
    probe.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await probe.closed
    expect(probe.text()).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('whose response is not read is closed', async () => {
    const address = await start({
      metrics: { text: async () => 'x'.repeat(32 * 1024 * 1024), contentType: 'text/plain' }
    })
    const line = dial(address)
    line.socket.pause()
    line.socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(line.socket, 'connect')
    expect(unread(address).connections).toBe(1)
    await expect.poll(() => unread(address), { timeout: 30_000 }).toEqual({ connections: 0, bytes: 0 })
  })

  test('that is reset leaves no response in the memory of the kernel', async () => {
    const address = await start({ metrics: { text: async () => 'x'.repeat(200_000), contentType: 'text/plain' } })
    for (let index = 0; index < 4 * CONNECTIONS.most; index++) {
      const { socket, closed } = dial(address, `127.0.0.${2 + (index % 8)}`)
      socket.pause()
      socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
      await Promise.race([closed, new Promise(resolve => socket.once('connect', resolve))])
    }
    expect(await answered(address)).toMatch(/^HTTP\/1\.1 200 /)
    expect(unread(address).connections).toBeLessThanOrEqual(CONNECTIONS.most)
  })

  test('serves one request, and data after it is never parsed', async () => {
    let asked = 0
    const health = () => ({ ok: true, because: `asked ${++asked} times` })
    const text = await raw(await start({ health }), 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100))
    expect(asked).toBe(1)
    expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
    expect(text).toContain('Connection: close')
  })
})

describe('the page', () => {
  test('is rendered once for all requests until its content has changed', async () => {
    let [made, at] = [0, Date.parse('2026-11-03T10:00:17.000Z')]
    let guard: boolean | undefined = true
    const status = () => ({
      ...statusOf(snapshot, { guard }),
      at: new Date(at).toISOString(),
      get version() {
        made += 1
        return '0.1.0'
      }
    })
    const address = await start({ status })
    const pages = await Promise.all(Array.from({ length: 20 }, () => get(address, '/')))
    expect(new Set(pages.map(({ body }) => body)).size).toBe(1)
    guard = false
    expect((await get(address, '/')).body).toContain('not enforced')
    at += 3_600_000
    expect((await get(address, '/')).body).toContain('2026-11-03T11:00:17.000Z')
    expect(made).toBeGreaterThan(0)
  })

  test.each([
    'evil.example',
    'evil.example:9642',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '',
    '[::1',
    'svc',
    'a@127.0.0.1'
  ])(
    'is refused to a browser that was led here by the name "%s", and so is /status.json; metrics and probes are not',
    async host => {
      const address = await start()
      const ask = (path: string) => raw(address, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      for (const path of ['/', '/status.json', '/?x']) {
        const text = await ask(path)
        expect(text).toMatch(/^HTTP\/1\.1 421 /)
        expect(text).not.toContain('Bottlerocket')
      }
      for (const path of ['/metrics', '/healthz', '/readyz']) expect(await ask(path)).toMatch(/^HTTP\/1\.1 200 /)
    }
  )

  test.each([
    '127.0.0.1:9642',
    '10.1.2.3',
    '[fd00::7]:9642',
    'localhost:9642',
    'LOCALHOST',
    'berth-metrics.berth.svc:9642',
    'a.b.svc.cluster.local'
  ])('is shown where it is asked for by %s', async host => {
    expect(await raw(await start(), `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('the end', () => {
  test('also closes idle connections, and requests that are never answered', async () => {
    const server = await startHttp({
      listen: '127.0.0.1:0',
      sources: sources({ metrics: { text: () => new Promise(() => undefined), contentType: 'text/plain' } })
    })
    const [idle, waiting] = [dial(server.address), dial(server.address)]
    waiting.socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await answered(server.address)).toContain('200 OK')
    await server.close()
    await Promise.all([idle.closed, waiting.closed])
    expect(waiting.text()).toBe('')
  })

  test('lets a response that has begun complete', async () => {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
    const text = () => {
      asked.resolve()
      return answer.promise
    }
    const server = await startHttp({
      listen: '127.0.0.1:0',
      sources: sources({ metrics: { text, contentType: 'text/plain' } })
    })
    const line = dial(server.address)
    line.socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
    await asked.promise
    const closing = server.close()
    answer.resolve('late\n')
    await Promise.all([closing, line.closed])
    expect(line.text()).toContain('late')
  })
})

describe('the address', () => {
  test.each([
    '127.0.0.1',
    '127.0.0.1:',
    'nine:thousand',
    ':70000',
    '',
    'http://127.0.0.1:80',
    '[::1',
    '1.2.3.4:5:6',
    ':-1',
    ' :80'
  ])('"%s" is refused by name', async listen => {
    await expect(startHttp({ listen, sources: sources() })).rejects.toThrow(
      `cannot listen on "${listen}": expected HOST:PORT, [ADDRESS]:PORT or :PORT`
    )
  })

  test('that is in use is named in the error', async () => {
    const address = await start()
    await expect(startHttp({ listen: address, sources: sources() })).rejects.toThrow(
      `cannot listen on "${address}": another program uses that port`
    )
  })

  test('that this machine does not have is named in the error', async () => {
    await expect(startHttp({ listen: '192.0.2.1:9999', sources: sources() })).rejects.toThrow(
      'cannot listen on "192.0.2.1:9999": this machine has no such address'
    )
  })

  test('may be every address of the machine', async () => {
    const server = await startHttp({ listen: ':0', sources: sources() })
    opened.push(server)
    const port = /:(\d+)$/.exec(server.address)?.[1]
    expect((await get(`127.0.0.1:${port}`, '/healthz')).status).toBe(200)
  })
})
