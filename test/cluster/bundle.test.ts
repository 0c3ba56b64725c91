import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { type FakeApi, fakeApi, fakeTcp, json } from './fake-api.ts'

const BUNDLE = join(import.meta.dirname, '../../dist/berth.mjs')
let directory: string
let api: FakeApi

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-bundle-'))
  const node = { kind: 'Node', metadata: { name: 'here', uid: 'a' } }
  api = await fakeApi((_, response) => json(response, 200, node))
})
afterAll(async () => {
  await api?.close()
  await rm(directory, { recursive: true, force: true })
})

test('what is shipped is ASCII: V8 holds such a text by one byte a character', async () => {
  expect((await readFile(BUNDLE, 'utf8')).match(/.{0,20}[^\0-\x7f].{0,20}/)?.[0]).toBeUndefined()
})

/** By no TLS, so by HTTP/1.1. */
async function ask(cluster: object, user: object): Promise<string> {
  const server = { server: `http://127.0.0.1:${api.port}`, 'insecure-skip-tls-verify': true }
  const kubeconfig = await writeKubeconfig(directory, { cluster: { ...server, ...cluster }, user: { ...user } })
  const { all } = await execa(
    process.execPath,
    [BUNDLE, 'uninstall', '--dry-run', '--node-name', 'here', '--kubeconfig', kubeconfig],
    { all: true, reject: false }
  )
  return all
}

const CREDENTIAL = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'secret' } }
const EXEC = { apiVersion: CREDENTIAL.apiVersion, command: '/bin/echo', args: [JSON.stringify(CREDENTIAL)] }

// Each is evaluated late, or cut to what is used: the sources' tests do not see that.
test.each<[string, object]>([
  ['a token', { token: 'secret' }],
  ['a program that gives one', { exec: EXEC }]
])('what is shipped speaks HTTP/1.1, with %s', async (_, user) => {
  expect(await ask({}, user)).toBe('here: nothing to remove')
})

test('what is shipped goes through an HTTP proxy', async () => {
  const proxy = await fakeApi((_, response) => json(response, 200, { kind: 'Node', metadata: { name: 'here', uid: 'a' } }))
  expect(await ask({ 'proxy-url': `http://127.0.0.1:${proxy.port}` }, { token: 'secret' })).toBe('here: nothing to remove')
  expect(proxy.requests).toContain(`GET http://127.0.0.1:${api.port}/api/v1/nodes/here`)
  await proxy.close()
})

test('what is shipped goes through a SOCKS proxy', async () => {
  let passed = 0
  const proxy = await fakeTcp(async socket => {
    await once(socket, 'data')
    socket.write(Buffer.from([5, 0])) // RFC 1928: version 5, no authentication
    await once(socket, 'data')
    const there: Socket = connect(api.port, '127.0.0.1')
    socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0])) // granted, bound to an address that nobody looks at
    socket.pipe(there).pipe(socket)
    passed += 1
  })
  expect(await ask({ 'proxy-url': `socks5://127.0.0.1:${proxy.port}` }, { token: 'secret' })).toBe('here: nothing to remove')
  expect(passed).toBeGreaterThan(0)
  await proxy.close()
})

test('what is shipped says why a token of OIDC cannot be renewed', async () => {
  const expired = ['{"alg":"none"}', '{"exp":1}', 'x'].map(part => Buffer.from(part).toString('base64url')).join('.')
  const config = { 'id-token': expired, 'refresh-token': 'r', 'client-id': 'c', 'idp-issuer-url': 'https://127.0.0.1:1' }
  const said = await ask({}, { 'auth-provider': { name: 'oidc', config } })
  expect(said).toContain('cannot get the credentials for the Kubernetes API')
})
