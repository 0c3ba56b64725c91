import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import { openConnection } from '../../../src/kubernetes/connection.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-kubeconfig-'))
  await mkdir(join(directory, 'folder'))
  await writeFile(join(directory, 'no.pem'), 'not PEM')
  await writeFile(join(directory, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
})
afterAll(() => rm(directory, { recursive: true }))
afterEach(() => vi.unstubAllEnvs())

let written = 0

async function file(content: unknown): Promise<string> {
  const path = join(directory, `config-${++written}`)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

async function open(path: string): Promise<string> {
  const connection = await openConnection(path, { root: directory })
  await connection.close()
  return connection.server
}

interface Parts {
  readonly cluster?: Readonly<Record<string, unknown>>
  readonly user?: Readonly<Record<string, unknown>>
}

const config = ({ cluster = {}, user = {} }: Parts, more: object = {}) => ({
  'current-context': 'here',
  contexts: [{ name: 'here', context: { cluster: 'there', user: 'me' } }],
  clusters: [{ name: 'there', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
  users: [{ name: 'me', user }],
  ...more
})

test.for([
  ['broken YAML', 'a: [b', /is not a kubeconfig: .*; expected YAML/],
  ['empty', '', /is not a kubeconfig: .*; expected YAML/],
  ['a list', '[]', /it is not a mapping/],
  ['a word', 'word', /it is not a mapping/],
  ['binary', '\0\u0001\u0002', /is not a kubeconfig/],
  ['another document', { kind: 'Node', metadata: {} }, /has no current-context.*it has none/],
  [
    'no current-context',
    { ...config({}), 'current-context': '' },
    /no current-context; choose one with kubectl config use-context NAME \(it has: here\)/
  ],
  ['a context that is not there', { ...config({}), 'current-context': 'gone' }, /no context "gone".*it has: here/],
  ['a cluster that is not there', { ...config({}), clusters: [] }, /no cluster "there", which its context "here" names/],
  ['a user that is not there', { ...config({}), users: [] }, /no user "me", which its context "here" names/],
  ['a cluster without a server', { ...config({}), clusters: [{ name: 'there', cluster: {} }] }, /server is missing/],
  ['a server that is no URL', config({ cluster: { server: 'ten' } }), /cluster "there" is "ten"; expected a URL/],
  ['a server of another scheme', config({ cluster: { server: 'ftp://ten' } }), /expected a URL/],
  ['a number as server', config({ cluster: { server: 6443 } }), /is not a kubeconfig/],
  ['a server without TLS', config({ cluster: { server: 'http://10.0.0.1' } }), /without TLS; expected https:/],
  [
    'a CA file that is missing',
    config({ cluster: { 'certificate-authority': 'gone.crt' } }),
    /certificate-authority ".*\/gone\.crt" cannot be read: there is no such file/
  ],
  ['a CA file that is a folder', config({ cluster: { 'certificate-authority': 'folder' } }), /it is a directory/],
  [
    'a CA file that is not PEM',
    config({ cluster: { 'certificate-authority': 'no.pem' } }),
    /certificate-authority cannot be used: .*expected PEM/
  ],
  [
    'a CA file that is broken',
    config({ cluster: { 'certificate-authority': 'broken.pem' } }),
    /certificate-authority cannot be used: .*expected PEM/
  ],
  [
    'CA data that is not PEM',
    config({ cluster: { 'certificate-authority-data': 'AAAA' } }),
    /certificate-authority cannot be used/
  ],
  [
    'a client certificate that is missing',
    config({ user: { 'client-certificate': 'gone.crt', 'client-key': 'gone.key' } }),
    /client-certificate ".*gone\.crt" cannot be read/
  ],
  ['a client certificate without a key', config({ user: { 'client-certificate': 'broken.pem' } }), /without the other/],
  [
    'a token file that is missing',
    config({ user: { tokenFile: 'gone' } }),
    /tokenFile ".*\/gone" cannot be read: there is no such file/
  ]
] as const)('a kubeconfig that is wrong: %s', async ([, content, says]) => {
  const path = await file(content)
  const error = await open(path).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({ code: 'KUBECONFIG', message: expect.stringMatching(says) })
  expect((error as Error).message).toContain(path)
  expect((error as Error).message).not.toContain('\n')
})

test('a kubeconfig that does not exist, or is not a file', async () => {
  await expect(open(join(directory, 'gone'))).rejects.toThrow(
    'cannot be read: there is no such file; check --kubeconfig or KUBECONFIG'
  )
  await expect(open(join(directory, 'folder'))).rejects.toThrow('it is a directory')
})

test('a password in the URL of a server is not shown', async () => {
  expect(await open(await file(config({ cluster: { server: 'https://me:secret@10.0.0.1:6443/base/' } })))).toBe(
    'https://10.0.0.1:6443/base'
  )
})

test('several files with colons between, as kubectl has them: the first of a name counts, missing ones do not', async () => {
  const first = await file({ 'current-context': 'here', clusters: [{ name: 'there', cluster: { server: 'https://first' } }] })
  const second = await file(config({}))
  expect(await open(`${join(directory, 'gone')}:${first}:${second}`)).toBe('https://first')
  await expect(open(`${directory}/gone:${directory}/too`)).rejects.toThrow(`"${directory}/gone" cannot be read`)
})

test('neither a kubeconfig nor a pod', async () => {
  await expect(open('')).rejects.toMatchObject({
    code: 'KUBECONFIG',
    message: expect.stringMatching(
      /no kubeconfig, and no service account of a pod \(.*\/token: there is no such file\); give --kubeconfig FILE or set KUBECONFIG/
    )
  })
})

test('a pod without the addresses that the kubelet sets', async () => {
  const mounted = join(directory, 'var/run/secrets/kubernetes.io/serviceaccount')
  await mkdir(mounted, { recursive: true })
  await writeFile(join(mounted, 'token'), 'token')
  vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined)
  vi.stubEnv('KUBERNETES_SERVICE_PORT', undefined)
  await expect(open('')).rejects.toThrow('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set')
  vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00::1')
  vi.stubEnv('KUBERNETES_SERVICE_PORT', '443')
  await expect(open('')).rejects.toThrow('certificate-authority')
})

test('any bytes and any JSON: an error in one sentence, or a server', async () => {
  const content = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.json().map(json => `{"clusters":${json},"users":${json},"contexts":${json},"current-context":${json}}`)
  )
  await fc.assert(
    fc.asyncProperty(content, async text => {
      const outcome = await open(await file(text)).catch((error: unknown) => error)
      if (typeof outcome === 'string') expect(outcome).toMatch(/^https:/)
      else expect(outcome).toSatisfy(error => error instanceof ApiError && !error.message.includes('\n'))
    }),
    { numRuns: 200 }
  )
})
