import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { succeeded } from '../support/cluster/api.ts'
import { makeKeys } from '../support/cluster/keys.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import { holdFreePort } from '../support/cluster/ports.ts'
import { type Answers, type FakeApi, fakeApi, fakeTcp, json, refuse, text } from './fake-api.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const root = join(import.meta.dirname, '../..')
const recorded = join(root, 'test/nodes/gke-ubuntu-22.04.yaml')
const SECRET = 'wrong-token-that-nobody-may-see'
let directory: string
let keys: { key: Buffer; cert: Buffer }
const open: FakeApi[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-refusals-'))
  await makeKeys(directory)
  const at = (name: string) => readFile(join(shared.directory, name))
  keys = { key: await at('server.key'), cert: await at('server.crt') }
  await createNode(shared, realisticNode('refused'))
})
afterAll(async () => {
  await Promise.all(open.map(fake => fake.close()))
  await rm(directory, { recursive: true })
})

interface Reach {
  readonly server?: string
  readonly ca?: string
  readonly token?: string
  readonly insecure?: true
}

/** Where to ask, as a kubeconfig: the real server and its CA unless something else is said. */
const reach = ({ server = shared.url, ca = shared.caFile, token = SECRET, insecure }: Reach) =>
  writeKubeconfig(directory, {
    cluster: { server, ...(insecure ? { 'insecure-skip-tls-verify': true } : { 'certificate-authority': ca }) },
    user: { token }
  })

async function faked(answers: Answers): Promise<string> {
  const fake = await fakeApi(answers, keys)
  open.push(fake)
  return reach({ server: `https://127.0.0.1:${fake.port}` })
}

async function fakedBytes(reply: string): Promise<string> {
  const fake = await fakeTcp(socket => reply !== '' && socket.end(reply))
  open.push(fake)
  return reach({ server: `https://127.0.0.1:${fake.port}` })
}

const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'refused', uid: 'made-up' } }
const refusePatch =
  (code: number, reason: string): Answers =>
  (request, response) =>
    request.method === 'PATCH' ? refuse(code, reason)(request, response) : json(response, 200, node)

/** Each: how to come there, and what the sentence must say. */
const refusals: Readonly<
  Record<string, { readonly kubeconfig: () => Promise<string>; readonly says: readonly RegExp[]; readonly name?: string }>
> = {
  'a token that is wrong (401)': {
    kubeconfig: () => reach({}),
    says: [/\(401\)/, /credentials of user "me" in the kubeconfig/, /renew/]
  },
  'a token without rights (403)': {
    kubeconfig: async () => reach({ token: await shared.tokenFor({ namespace: 'refused', serviceAccount: 'nobody' }) }),
    says: [/\(403\)/, /User \\?"system:serviceaccount:refused:nobody\\?" cannot get resource/, /grant/]
  },
  'a Node that does not exist (404)': {
    kubeconfig: async () => shared.kubeconfig,
    name: 'refused-nowhere',
    says: [/"refused-nowhere"/, /\(404\)/, /kubectl get nodes/, /--node-name or NODE_NAME/]
  },
  'a path that is no API (404)': {
    kubeconfig: () => faked(text(404, 'text/html', '<h1>nothing\nhere</h1>')),
    says: [/\(404\): "<h1>nothing here<\/h1>"/, /Kubernetes API/]
  },
  'a conflict (409)': { kubeconfig: () => faked(refusePatch(409, 'Conflict')), says: [/label the Node/, /\(409\)/, /run again/] },
  'an invalid change (422)': { kubeconfig: () => faked(refusePatch(422, 'Invalid')), says: [/\(422\): "made up Invalid"/] },
  'a server that is too busy (429)': {
    kubeconfig: () => faked(refuse(429, 'TooManyRequests', { 'retry-after': '1' })),
    says: [/\(429\)/, /1 s/, /tried 4 times/]
  },
  'a server that fails (500)': {
    kubeconfig: () => faked(refuse(500, 'InternalError')),
    says: [/\(500\): "made up/, /tried 4 times/]
  },
  'a proxy without a server (503)': {
    kubeconfig: () => faked(text(503, 'text/plain', 'no healthy upstream')),
    says: [/\(503\): "no healthy upstream"/, /tried 4 times/]
  },
  'a server that breaks off': {
    kubeconfig: () => faked(request => request.socket.destroy()),
    says: [/the connection broke/, /tried 4 times/]
  },
  'a server that never answers': { kubeconfig: () => faked(() => undefined), says: [/gave no answer in time/] },
  'an answer that never ends': {
    kubeconfig: () => faked((_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{')),
    says: [/gave no answer in time/]
  },
  'a TLS handshake that freezes': { kubeconfig: () => fakedBytes(''), says: [/connection could not be made in time/] },
  'https to a server without TLS': {
    kubeconfig: async () => {
      const fake = await fakeApi(refuse(200, ''))
      open.push(fake)
      return reach({ server: `https://127.0.0.1:${fake.port}` })
    },
    says: [/does not speak TLS/, /port/]
  },
  'http to a server with TLS': {
    kubeconfig: () => reach({ server: shared.url.replace('https', 'http'), insecure: true }),
    says: [/the URL says http/, /write https:/]
  },
  'a certificate of another CA': {
    kubeconfig: () => reach({ ca: join(directory, 'ca.crt') }),
    says: [/not signed by the CA/, /certificate-authority/]
  },
  'a certificate for another name': {
    kubeconfig: async () => {
      const fake = await fakeApi(refuse(500, ''), keys)
      open.push(fake)
      return reach({ server: `https://127.0.0.2:${fake.port}` })
    },
    says: [/certificate is for other names than "127\.0\.0\.2"/, /tls-server-name/]
  },
  'a port where nothing listens': {
    kubeconfig: async () => {
      const { port, release } = await holdFreePort()
      await release()
      return reach({ server: `https://127.0.0.1:${port}` })
    },
    says: [/https:\/\/127\.0\.0\.1:\d+:/, /nothing listens/]
  },
  'a host name that nobody knows': {
    kubeconfig: () => reach({ server: 'https://no-such-host.invalid:6443' }),
    says: [/"no-such-host\.invalid" is not known/]
  },
  'JSON that is broken': {
    kubeconfig: () => faked(text(200, 'application/json', '{"kind":')),
    says: [/not the JSON of a Kubernetes API/]
  },
  'a page for people': { kubeconfig: () => faked(text(200, 'text/html', '<html>')), says: [/not the JSON of a Kubernetes API/] },
  'an unknown media type': {
    kubeconfig: () => faked(text(200, 'application/x-thing', 'x')),
    says: [/not the JSON of a Kubernetes API/]
  },
  'another object': {
    kubeconfig: () => faked((_, response) => json(response, 200, { kind: 'Pod', metadata: { name: 'other', uid: 'u' } })),
    says: [/returned the Pod "other" instead of/]
  },
  'another Node': {
    kubeconfig: () => faked((_, response) => json(response, 200, { ...node, metadata: { name: 'other', uid: 'u' } })),
    says: [/returned the Node "other" instead of the Node "refused"/]
  },
  'a redirect': {
    kubeconfig: () => faked((request, response) => void response.writeHead(302, { location: request.url ?? '' }).end()),
    says: [/it redirects us \(302\)/, /write the API server's own URL/]
  }
}

async function runOnce(kubeconfig: string, name = 'refused') {
  const args = ['src/main.ts', 'run', '--once', '--kubeconfig', kubeconfig, '--node-name', name, '--host-root', recorded]
  const options = {
    cwd: root,
    reject: false,
    extendEnv: false,
    env: { PATH: process.env['PATH'] ?? '' },
    timeout: 60_000
  } as const
  const { exitCode, stdout, stderr } = await execa(process.execPath, args, options)
  return { exitCode, stdout, stderr }
}

const isSentence = (stderr: string) => {
  expect(stderr).toMatch(/^berth: [^\n]+\n?$/)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stderr).not.toContain(SECRET)
  expect(stderr).not.toContain('Bearer')
}

describe.concurrent('run --once says what the API did', () => {
  test.for(Object.entries(refusals))('%s', async ([, { kubeconfig, says, name }]) => {
    const { exitCode, stdout, stderr } = await runOnce(await kubeconfig(), name)
    isSentence(stderr)
    for (const pattern of says) expect(stderr).toMatch(pattern)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  })

  test('an admission policy that refuses the change (422)', async () => {
    const name = 'refused-by-policy'
    await createNode(shared, realisticNode(name))
    const group = '/apis/admissionregistration.k8s.io/v1'
    const policy = {
      metadata: { name: 'refuse-berth' },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], resources: ['nodes'], operations: ['UPDATE'], resourceNames: [name] }
          ]
        },
        validations: [{ expression: "object.metadata.name != 'refused-by-policy'", message: 'this Node is not to be touched' }]
      }
    }
    const binding = { metadata: { name: 'refuse-berth' }, spec: { policyName: 'refuse-berth', validationActions: ['Deny'] } }
    await succeeded('policy', shared.api('POST', `${group}/validatingadmissionpolicies`, policy))
    await succeeded('binding', shared.api('POST', `${group}/validatingadmissionpolicybindings`, binding))
    const touch = () =>
      shared.api('PATCH', `/api/v1/nodes/${name}`, { metadata: { labels: { 'example.com/touched': `${Date.now()}` } } })
    await expect.poll(async () => (await touch()).status, { timeout: 30_000, interval: 250 }).toBe(422)
    const { exitCode, stderr } = await runOnce(shared.kubeconfig, name)
    isSentence(stderr)
    expect(stderr).toMatch(/label the Node "refused-by-policy".*admission policy.*\(422\).*this Node is not to be touched/)
    expect(exitCode).toBe(1)
  })

  test('one failure that passes is no failure', async () => {
    let asked = 0
    const kubeconfig = await faked((request, response) => {
      asked++
      if (asked === 1) return refuse(429, 'TooManyRequests', { 'retry-after': '1' })(request, response)
      if (asked === 2) return void request.socket.destroy()
      return refuse(404, 'NotFound')(request, response)
    })
    const { stderr } = await runOnce(kubeconfig)
    expect(stderr).toContain('(404)')
    expect(asked).toBe(3)
  })
})
