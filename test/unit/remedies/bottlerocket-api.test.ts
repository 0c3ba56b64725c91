import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { BottlerocketError, bottlerocketApi, parseSetting } from '../../../src/remedies/user-namespaces/bottlerocket-api.ts'
import { asNobody } from '../host/temporary.ts'
import { bottlerocket, type Fault, type Node } from './bottlerocket-server.ts'

const DOT = { 'user.max_user_namespaces': '65536' } as const
const BOTH = { ...DOT, 'user/max_user_namespaces': '65536' } as const
const PATIENCE = 400
const apiOf = (node: Node) => bottlerocketApi(node.socket, 'user.max_user_namespaces', PATIENCE)
const trouble = async (work: Promise<unknown>): Promise<BottlerocketError> => {
  const error = await work.then(
    value => value,
    (failure: unknown) => failure
  )
  if (error instanceof BottlerocketError) return error
  throw new Error(`expected a BottlerocketError, got ${JSON.stringify(error)}`, { cause: error })
}
const calls = (node: Node) => node.calls.map(({ method, path }) => `${method} ${path}`)

/** What the stand-in sends, byte for byte, for requests on one connection. */
async function wire({ socket }: Node, ...requests: readonly string[]): Promise<string> {
  const connection = connect(socket)
  let text = ''
  connection.on('data', chunk => {
    text += chunk.toString()
  })
  // It answers in turn all that came before the end, and ends too.
  connection.end(requests.join(''))
  await once(connection, 'close')
  return text.replaceAll(/date: [^\r]*\r\n/g, '')
}
const patch = (body: string, type = 'application/json') =>
  `PATCH /settings?tx=abc HTTP/1.1\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const BODY = '{"kernel":{"sysctl":{"user.max_user_namespaces":"65536"}}}'

describe('the stand-in answers as the real server was measured', () => {
  test('a PATCH, a commit, and a commit once more', async () => {
    const node = await bottlerocket()
    const commit = 'POST /tx/commit_and_apply?tx=abc HTTP/1.1\r\n\r\n'
    expect(await wire(node, patch(BODY), commit, commit)).toBe(
      'HTTP/1.1 204 No Content\r\n\r\n' +
        'HTTP/1.1 200 OK\r\ncontent-length: 55\r\ncontent-type: application/json\r\n\r\n' +
        '["settings.kernel.sysctl.\\"user.max_user_namespaces\\""]' +
        'HTTP/1.1 422 Unprocessable Entity\r\ncontent-length: 39\r\n\r\nTried to commit with no pending changes'
    )
    await expect.poll(node.kernel).toBe(65_536)
  })

  test('the bytes after the 204 of /tx/apply, and an unknown path', async () => {
    const text = await wire(await bottlerocket(), 'POST /tx/apply?keys=a HTTP/1.1\r\n\r\n', 'GET /nosuch HTTP/1.1\r\n\r\n')
    expect(text).toBe(
      'HTTP/1.1 204 No Content\r\ncontent-type: application/json\r\n\r\nnullHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'
    )
  })

  test.each([
    [patch(BODY, 'text/plain'), 'Content type error'],
    [patch(''), 'Json deserialize error: EOF while parsing a value at line 1 column 0'],
    [
      patch(BODY.replace('"65536"', '65536')),
      'Json deserialize error: invalid type: integer `65536`, expected a string at line 1 column 53'
    ]
  ])('a body that is refused', async (request, text) => {
    const length = `content-length: ${text.length}\r\ncontent-type: text/plain; charset=utf-8`
    expect(await wire(await bottlerocket(), request)).toBe(`HTTP/1.1 400 Bad Request\r\n${length}\r\n\r\n${text}`)
  })

  test('an early boot, with and without a filter', async () => {
    const node = await bottlerocket()
    node.booted = false
    expect(await wire(node, 'GET /settings HTTP/1.1\r\n\r\n')).toContain("Found no 'settings' in datastore")
    expect(await wire(node, 'GET /settings?prefix=kernel.sysctl HTTP/1.1\r\n\r\n')).toMatch(/200 OK[\s\S]*\r\n\r\n\{\}$/)
    expect(await wire(node, 'GET /tx/list HTTP/1.1\r\n\r\n')).toMatch(/\["bottlerocket-launch"\]$/)
  })
})

describe('the client, against the stand-in', () => {
  test('stages, commits and reads, with a name of its own each time and never /tx/apply', async () => {
    const node = await bottlerocket()
    const api = apiOf(node)
    expect(await api.read()).toEqual({})
    const first = await api.stage(BOTH)
    expect(await api.read()).toEqual({})
    await api.commit(first)
    expect(await api.read()).toEqual(BOTH)
    const second = await api.stage(DOT)
    await api.drop(second)
    expect(node.pending.size).toBe(0)
    expect(first).toMatch(/^berth-[0-9a-f]{16}$/)
    expect(second).not.toBe(first)
    expect(calls(node)).not.toContain('POST /tx/apply')
  })

  test('sends what the upstream client sends', async () => {
    const node = await bottlerocket()
    await apiOf(node).commit(await apiOf(node).stage(DOT))
    const [staged, committed] = node.calls
    expect(staged).toMatchObject({ method: 'PATCH', path: '/settings', type: 'application/json', body: BODY })
    expect(committed).toMatchObject({ method: 'POST', path: '/tx/commit_and_apply', body: '' })
    expect(committed?.query.get('tx')).toBe(staged?.query.get('tx'))
  })

  test.each([[''], ['default'], ['bottlerocket-launch'], ['berth-'], ['berth-0123456789abcdef&tx=']])(
    'sends no transaction called %j',
    async name => {
      const node = await bottlerocket()
      await expect(apiOf(node).commit(name)).rejects.toThrow(TypeError)
      await expect(apiOf(node).drop(name)).rejects.toThrow(TypeError)
      expect(node.calls).toEqual([])
    }
  )

  test('leaves the transactions of others', async () => {
    const node = await bottlerocket()
    node.pending.set('default', new Map([['vm.swappiness', '1']]))
    await apiOf(node).commit(await apiOf(node).stage(DOT))
    expect([...node.pending.keys()]).toEqual(['default'])
    expect(node.live.has('vm.swappiness')).toBe(false)
  })

  test('drops its own transaction when the staging is refused or not answered', async () => {
    for (const fault of [{ kind: 'reply', reply: { status: 500, text: 'x' }, after: true }, { kind: 'hang' }] as const) {
      const node = await bottlerocket()
      node.fault = ({ method }) => (method === 'PATCH' ? fault : undefined)
      await trouble(apiOf(node).stage(DOT))
      expect(calls(node)).toEqual(['PATCH /settings', 'DELETE /tx'])
      expect(node.pending.size).toBe(0)
    }
  })

  test('ignores bytes after a 204', async () => {
    const node = await bottlerocket()
    node.fault = ({ method }) =>
      method === 'PATCH'
        ? { kind: 'bytes', bytes: 'HTTP/1.1 204 No Content\r\ncontent-type: application/json\r\n\r\nnull' }
        : undefined
    expect(await apiOf(node).stage(DOT)).toMatch(/^berth-/)
  })

  test('opens a connection for each call, so that the server closes no idle one', async () => {
    const node = await bottlerocket()
    const all = await Promise.all(Array.from({ length: 12 }, () => apiOf(node).stage(DOT)))
    await Promise.all(all.map(name => apiOf(node).commit(name)))
    expect(new Set(all).size).toBe(12)
    expect(node.pending.size).toBe(0)
  })
})

const reply = (status: number, text = '', type?: string): Fault => ({ kind: 'reply', reply: { status, text, type } })

describe('trouble with the stand-in', () => {
  test.each<[string, Fault, BottlerocketError['trouble']]>([
    ['a 400', reply(400, 'Json deserialize error: unknown field `sysctl`', 'text/plain'), 'refused'],
    ['a 403', reply(403), 'refused'],
    ['a 404 without a text', reply(404), 'refused'],
    ['a 404 with one', reply(404, "Found no 'settings' in datastore"), 'passing'],
    ['a 408', reply(408), 'passing'],
    ['a 422', reply(422, 'Tried to commit with no pending changes'), 'passing'],
    ['a 423', reply(423, 'Update lock held'), 'passing'],
    ['a 500', reply(500, 'Unable to start config applier: No such file or directory (os error 2) '), 'passing'],
    ['a reset', { kind: 'reset' }, 'passing'],
    ['no answer', { kind: 'hang' }, 'passing'],
    ['half an answer', { kind: 'bytes', bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[' }, 'passing'],
    ['what is no HTTP', { kind: 'bytes', bytes: 'hello\r\n\r\n' }, 'passing'],
    ['an answer that is not JSON', reply(200, '<html>'), 'passing'],
    ['more than 64 KiB', reply(200, `"${'x'.repeat(70_000)}"`), 'passing']
  ])('of %s', async (_, fault, expected) => {
    const node = await bottlerocket()
    node.fault = () => fault
    expect((await trouble(apiOf(node).read())).trouble).toBe(expected)
  })

  test('names the status and the text', async () => {
    const node = await bottlerocket()
    node.applier = 'missing'
    const name = await apiOf(node).stage(DOT)
    expect((await trouble(apiOf(node).commit(name))).message).toBe(
      'the Bottlerocket API answered POST /tx/commit_and_apply with 500 ' +
        '"Unable to start config applier: No such file or directory (os error 2)"'
    )
    expect(node.live.get('user.max_user_namespaces')).toBe('65536')
    expect((await trouble(apiOf(node).commit(name))).message).toContain('422')
  })

  test('of a boot that is not finished, which a filtered GET would not show', async () => {
    const node = await bottlerocket()
    node.booted = false
    expect(await trouble(apiOf(node).read())).toMatchObject({ trouble: 'passing', message: expect.stringContaining('boot') })
  })

  test('of a socket that does not exist, has no listener, or refuses the connection', async () => {
    const node = await bottlerocket()
    await node.stop('kill')
    expect(await trouble(apiOf(node).read())).toMatchObject({
      trouble: 'passing',
      message: 'the Bottlerocket API did not answer GET /tx/list: ECONNREFUSED'
    })
    rmSync(node.socket)
    expect((await trouble(apiOf(node).read())).trouble).toBe('absent')
    await node.start()
    expect(await apiOf(node).read()).toEqual({})
    for (const path of [node.root, `${node.root}/run`]) chmodSync(path, 0o755)
    // The real one has 0660; nobody of this process would still be in the group of root.
    chmodSync(node.socket, 0)
    expect(await asNobody(() => trouble(apiOf(node).read()))).toMatchObject({
      trouble: 'refused',
      message: 'the Bottlerocket API refuses the connection: EACCES by file mode or SELinux'
    })
  })
})

describe('an answer', () => {
  test.each([
    [{}, {}],
    [[], {}],
    [{ kernel: { lockdown: 'integrity' } }, {}],
    [{ kernel: { sysctl: [] } }, {}],
    [{ kernel: { sysctl: { ...BOTH, other: '1' } } }, BOTH]
  ])('%j holds %j', (answer, expected) => {
    expect(parseSetting(answer, 'user.max_user_namespaces')).toEqual(expected)
  })

  test.each([[null], ['x'], [{ kernel: null }], [{ kernel: { sysctl: { ...DOT, 'user/max_user_namespaces': 1 } } }]])(
    '%j is not understood',
    answer => {
      expect(() => parseSetting(answer, 'user.max_user_namespaces')).toThrow(BottlerocketError)
    }
  )
})
