import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { parseNode } from '../../src/facts/node-object.ts'
import { type Connection, type ConnectionOptions, openConnection } from '../../src/kubernetes/connection.ts'
import { patchMetadata } from '../../src/kubernetes/own-node/patch.ts'
import { readMetadata, readNode } from '../../src/kubernetes/own-node/read.ts'
import { readPodSecurity } from '../../src/kubernetes/pod-security.ts'
import { type CountingProxy, countingProxy } from '../support/cluster/counting-proxy.ts'
import { makeKeys } from '../support/cluster/keys.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { createNode, type NodeObject, realisticNode } from '../support/cluster/nodes.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const name = 'connected'
const opened: { close(): Promise<void> }[] = []
let directory: string
let stored: NodeObject

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-connection-'))
  await makeKeys(directory)
  stored = await createNode(shared, realisticNode(name))
})
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close()
})
afterAll(() => rm(directory, { recursive: true }))

const admin = () => ({
  'client-certificate': join(shared.directory, 'admin.crt'),
  'client-key': join(shared.directory, 'admin.key')
})

async function open(kubeconfig: string, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const connection = await openConnection(kubeconfig, options)
  opened.push(connection)
  return connection
}

async function throughProxy(options: Partial<ConnectionOptions> = {}): Promise<{ proxy: CountingProxy; connection: Connection }> {
  const proxy = await countingProxy(shared.url)
  opened.push(proxy)
  const cluster = { server: proxy.url, 'certificate-authority': shared.caFile }
  return { proxy, connection: await open(await writeKubeconfig(directory, { cluster, user: admin() }), options) }
}

const times = (count: number) => Array.from({ length: count })

describe('one connection', () => {
  test('carries 100 calls, one after the other and many at a time', async () => {
    const { proxy, connection } = await throughProxy()
    for (const _ of times(50)) await readNode(connection, name)
    await Promise.all(times(10).map(() => readNode(connection, name)))
    for (const _ of times(4)) await Promise.all(times(10).map(() => readMetadata(connection, name)))
    expect(proxy.accepted()).toBe(1)
  })

  test('is one from the start, when the first calls come at the same time', async () => {
    const { proxy, connection } = await throughProxy()
    await Promise.all(times(10).map(() => readNode(connection, name)))
    expect(proxy.accepted()).toBe(1)
  })

  test('is opened again after it broke, and after it hung', async () => {
    const { proxy, connection } = await throughProxy({ timeouts: { connect: 2_000, idle: 1_000, total: 8_000 } })
    await readNode(connection, name)
    proxy.swallow()
    await expect(readNode(connection, name)).rejects.toThrow('gave no answer in time')
    expect((await readNode(connection, name)).metadata?.name).toBe(name)
    expect(proxy.accepted()).toBe(2)
  })

  test('is opened again when the CA file changes, and not before', async () => {
    const proxy = await countingProxy(shared.url)
    opened.push(proxy)
    const ca = join(directory, 'rotated.crt')
    await copyFile(shared.caFile, ca)
    const cluster = { server: proxy.url, 'certificate-authority': ca }
    const connection = await open(await writeKubeconfig(directory, { cluster, user: admin() }))
    await readNode(connection, name)
    await copyFile(shared.caFile, ca) // as a kubelet does every minute
    await readNode(connection, name)
    expect(proxy.accepted()).toBe(1)
    await copyFile(join(directory, 'ca.crt'), ca)
    await expect(readNode(connection, name)).rejects.toThrow('not signed by the CA')
    await copyFile(shared.caFile, ca)
    await readNode(connection, name)
    expect(proxy.accepted()).toBe(3)
  })
})

describe('credentials', () => {
  test('from a tokenFile, which client-node does not know, and below the kubeconfig', async () => {
    await writeFile(join(directory, 'token'), `${await shared.tokenFor({ namespace: 'connected', serviceAccount: 'reader' })}\n`)
    const cluster = { server: shared.url, 'certificate-authority': shared.caFile }
    const connection = await open(await writeKubeconfig(directory, { cluster, user: { tokenFile: 'token' } }))
    await expect(readNode(connection, name)).rejects.toThrow('system:serviceaccount:connected:reader')
  })

  test('from an exec plugin, as cloud providers have it', async () => {
    const token = await shared.tokenFor({ namespace: 'connected', serviceAccount: 'program' })
    const answer = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }
    const exec = { apiVersion: answer.apiVersion, command: '/bin/echo', args: [JSON.stringify(answer)] }
    const cluster = { server: shared.url, 'certificate-authority': shared.caFile }
    const connection = await open(await writeKubeconfig(directory, { cluster, user: { exec } }))
    await expect(readNode(connection, name)).rejects.toThrow('system:serviceaccount:connected:program')
    const without = await open(await writeKubeconfig(directory, { cluster, user: { exec: { ...exec, command: '/no/program' } } }))
    await expect(readNode(without, name)).rejects.toThrow(
      'cannot get the credentials for the Kubernetes API: spawn /no/program ENOENT'
    )
  })
})

describe('the own Node', () => {
  test('is read whole, with what the facts want of it', async () => {
    const node = parseNode(await readNode(await open(shared.kubeconfig), name))
    expect(node).toMatchObject({
      name,
      kubelet: 'v1.36.3',
      containerRuntime: 'containerd://1.7.27',
      runtimeHandlers: ['', 'runc']
    })
    expect(node.labels).toEqual(stored.metadata.labels)
  })

  test('that was created again is not patched', async () => {
    const connection = await open(shared.kubeconfig)
    const patch = { uid: '00000000-0000-0000-0000-000000000000', labels: { 'example.com/never': 'written' }, annotations: {} }
    await expect(patchMetadata(connection, name, patch)).rejects.toMatchObject({
      code: 'RECREATED',
      transient: false,
      message: expect.stringContaining('created again')
    })
    expect((await readMetadata(connection, name)).labels).not.toHaveProperty(['example.com/never'])
  })

  test('answers a patch with its metadata', async () => {
    const connection = await open(shared.kubeconfig)
    const labels = { 'example.com/patched': 'yes' }
    const written = await patchMetadata(connection, name, { uid: stored.metadata.uid ?? '', labels, annotations: {} })
    expect(written).toEqual(await readMetadata(connection, name))
    expect(written.labels).toMatchObject(labels)
  })
})

describe('the Pod Security level', () => {
  test('is that of the namespace, or a reason why it is not known', async () => {
    const enforce = { 'pod-security.kubernetes.io/enforce': 'baseline' }
    await shared.api('POST', '/api/v1/namespaces', { metadata: { name: 'connected-baseline', labels: enforce } })
    const connection = await open(shared.kubeconfig)
    expect(await readPodSecurity(connection, 'connected-baseline')).toEqual({ ok: true, value: 'baseline' })
    expect(await readPodSecurity(connection, 'default')).toEqual({ ok: true, value: '' })
    expect(await readPodSecurity(connection, 'connected-nowhere')).toMatchObject({
      ok: false,
      why: expect.stringContaining('no Namespace')
    })
    const token = await shared.tokenFor({ namespace: 'connected', serviceAccount: 'stranger' })
    const cluster = { server: shared.url, 'certificate-authority': shared.caFile }
    const stranger = await open(await writeKubeconfig(directory, { cluster, user: { token } }))
    const { ok, ...rest } = await readPodSecurity(stranger, 'default')
    expect(ok).toBe(false)
    expect(rest).toEqual({ why: expect.stringMatching(/grant "get".*--privileged-workspaces/) })
  })
})
