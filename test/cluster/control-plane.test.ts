import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { apiOf, succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { bareNode, createNode, type NodeObject, realisticNode } from '../support/cluster/nodes.ts'
import { sharedControlPlane } from './shared.ts'

const slow = 120_000

describe('the shared control plane', () => {
  const shared = sharedControlPlane()

  test('is ready, and its administrator may list nodes', async () => {
    expect(await shared.api('GET', '/readyz')).toEqual({ status: 200, body: 'ok' })
    expect((await shared.api('GET', '/api/v1/nodes')).status).toBe(200)
    const version = await succeeded('version', shared.api<{ gitVersion: string }>('GET', '/version'))
    expect(version.gitVersion).toMatch(/^v1\.\d+\.\d+/)
  })

  test('stores a Node as large and as labelled as a kubelet leaves it', async () => {
    const wanted = realisticNode('fixture-realistic', { labels: { 'example.com/pool': 'a' } })
    const stored = await createNode(shared, wanted)
    expect(JSON.stringify(stored).length).toBeGreaterThan(17_000)
    expect(JSON.stringify(stored).length).toBeLessThan(23_000)
    expect(stored.metadata.labels).toEqual(wanted.metadata.labels)
    expect(stored.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'fixture-realistic', 'example.com/pool': 'a' })
    expect(stored.spec).toEqual(wanted.spec)
    expect(stored.status).toEqual(wanted.status)
    expect(stored.metadata.managedFields).toHaveLength(2) // kubelet: the Node, its status; the removal of a taint owns nothing
  })

  test('stores the taints that are asked for, and no other', async () => {
    const taints = [{ key: 'sysbox-runtime', value: 'not-running', effect: 'NoSchedule' }] as const
    const stored = await createNode(shared, realisticNode('fixture-tainted', { spec: { taints } }))
    expect(stored.spec.taints).toEqual(taints)
  })

  test('stores a bare Node with neither labels nor annotations', async () => {
    const { metadata } = await createNode(shared, bareNode('fixture-bare'))
    expect(metadata).not.toHaveProperty('labels')
    expect(metadata).not.toHaveProperty('annotations')
  })

  test('issues a token that names its node, and one that names none', async () => {
    const node = await createNode(shared, realisticNode('fixture.token-node'))
    const account = { namespace: 'fixture', serviceAccount: 'agent' }
    const bound = await whoIs(await shared.tokenFor({ ...account, nodeName: node.metadata.name }))
    expect(bound.username).toBe('system:serviceaccount:fixture:agent')
    expect(bound.extra['authentication.kubernetes.io/node-name']).toEqual(['fixture.token-node'])
    expect(bound.extra['authentication.kubernetes.io/node-uid']).toEqual([node.metadata.uid])
    const again = await whoIs(await shared.tokenFor({ ...account, nodeName: node.metadata.name }))
    expect(again.extra['authentication.kubernetes.io/pod-uid']).toEqual(bound.extra['authentication.kubernetes.io/pod-uid'])
    const free = await whoIs(await shared.tokenFor(account))
    expect(free.extra).not.toHaveProperty(['authentication.kubernetes.io/node-name'])
  })

  test('quotes the API server in an error', async () => {
    const missing = succeeded('read it', shared.api('GET', '/api/v1/nodes/fixture-missing'))
    await expect(missing).rejects.toThrow('read it: the API server answered 404: nodes "fixture-missing" not found')
  })

  test('writes each request to the audit log', async () => {
    await shared.api('GET', '/api/v1/nodes/fixture-audited')
    await expect.poll(() => readFile(shared.auditLog, 'utf8')).toContain('/api/v1/nodes/fixture-audited')
  })

  interface Identity {
    readonly username: string
    readonly extra: Readonly<Record<string, readonly string[]>>
  }

  async function whoIs(token: string): Promise<Identity> {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const answer = apiOf(shared, { token })<{ status: { userInfo: Identity } }>(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      review
    )
    return (await succeeded('who am I', answer)).status.userInfo
  }
})

describe('a control plane of its own', () => {
  let own: ControlPlane | undefined
  afterAll(() => own?.close())
  const begun = (): ControlPlane => {
    if (!own) throw new Error('the first of these tests starts it')
    return own
  }

  test('keeps its data and its address through a crash and a stop', { timeout: slow }, async () => {
    own = await startControlPlane()
    const { metadata } = await createNode(own, realisticNode('kept'))
    for (const end of [own.crash, own.stop]) {
      await end()
      await expect(own.api('GET', '/readyz')).rejects.toThrow('ECONNREFUSED')
      await own.start()
      const kept = await succeeded('read it', own.api<NodeObject>('GET', '/api/v1/nodes/kept'))
      expect(kept.metadata.uid).toBe(metadata.uid)
    }
  })

  test('is silent while frozen and answers when thawed', { timeout: slow }, async () => {
    begun().freeze()
    let answered = false
    const answer = begun()
      .api('GET', '/readyz')
      .then(answer => {
        answered = true
        return answer
      })
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(answered).toBe(false)
    begun().thaw()
    expect((await answer).status).toBe(200)
  })

  test('refuses a second start', async () => {
    await expect(begun().start()).rejects.toThrow('already started')
  })

  test('leaves nothing behind', async () => {
    await begun().close()
    expect(existsSync(begun().directory)).toBe(false)
    await expect(begun().api('GET', '/readyz')).rejects.toThrow('ECONNREFUSED')
  })

  test('says what the API server said when it does not start', { timeout: slow }, async () => {
    await expect(startControlPlane({ apiServerFlags: ['--no-such-flag'] })).rejects.toThrow(
      /ended before it was ready\n[\s\S]*no-such-flag/
    )
  })
})
