import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { parseConfig } from '../../src/cli/config.ts'
import { type UninstallWorld, uninstallFrom } from '../../src/commands/uninstall.ts'
import { CONDITION_TYPE } from '../../src/node-sync/condition.ts'
import { endAgents, eventually, nodeOf, startAgent } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { AGENT, applyManifests } from '../support/cluster/manifests.ts'
import { bareNode, createNode, type NodeObject, realisticNode } from '../support/cluster/nodes.ts'
import type { FakeApi } from './fake-api.ts'
import { meddler, type Passing, refusal } from './meddler.ts'

// --all-nodes would take the labels of other test files' Nodes too.
let plane: ControlPlane
const open: FakeApi[] = []

beforeAll(async () => {
  plane = await startControlPlane({ release: inject('release') })
})
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
  await succeeded('clear', plane.api('DELETE', '/api/v1/nodes'))
})
afterAll(async () => {
  await endAgents()
  await plane?.close()
})

const times = { lastHeartbeatTime: '2026-01-05T10:20:30Z', lastTransitionTime: '2026-01-05T08:00:00Z' }
const startup = { key: 'startup-taint.cluster-autoscaler.kubernetes.io/berth', effect: 'NoSchedule' } as const
const ours = {
  labels: { 'berth.dev/cvm': 'true', 'berth.dev/retired-long-ago': 'x' },
  annotations: { 'berth.dev/report': '{}', 'berth.dev/report-of-old': '{}' }
}
const theirs = {
  labels: { 'berth.dev.example.com/x': 'theirs', 'example.com/berth.dev': 'theirs', 'xberth.dev/y': 'theirs' },
  annotations: { 'berth.dev.example.com/x': 'theirs' }
}

/** A Node that an agent was on, with what others wrote there. */
function labelled(name: string, heartbeat = times.lastHeartbeatTime, taints: NodeObject['spec']['taints'] = []): NodeObject {
  const node = realisticNode(name, {
    labels: { ...ours.labels, ...theirs.labels },
    annotations: { ...ours.annotations, ...theirs.annotations },
    spec: { taints }
  })
  const condition = {
    type: CONDITION_TYPE,
    status: 'True',
    reason: 'Tested',
    message: '',
    ...times,
    lastHeartbeatTime: heartbeat
  }
  return { ...node, status: { ...node.status, conditions: [...(node.status['conditions'] as object[]), condition] } }
}

const put = async (...nodes: readonly NodeObject[]): Promise<void> => {
  await Promise.all(nodes.map(node => createNode(plane, node)))
}

const read = (name: string) => nodeOf(plane, name).read()

/** What the Node is without us, as `labelled` made it. */
async function expectClean(name: string): Promise<void> {
  const node = await read(name)
  const before = labelled(name)
  const without = <T>(entries: Readonly<Record<string, T>> = {}) =>
    Object.fromEntries(Object.entries(entries).filter(([key]) => !key.startsWith('berth.dev/')))
  expect(node.metadata.labels).toEqual(without(before.metadata.labels))
  expect(node.metadata.annotations).toEqual(without(before.metadata.annotations))
  expect(node.status['conditions']).toEqual((before.status['conditions'] as object[]).slice(0, -1))
}

interface Told {
  readonly status: number
  readonly text: string
}

const world = (): UninstallWorld => ({
  ...{ sleep: async () => undefined, random: () => 0, connection: {} },
  ...{ signal: new AbortController().signal, limit: 3 }
})

interface More extends Partial<UninstallWorld> {
  readonly kubeconfig?: string
  /** Hears each piece of the output. */
  readonly hear?: (piece: string) => void
}

/** In this process, so that a test can give another page size and another API. */
async function uninstall(args: readonly string[], { kubeconfig = plane.kubeconfig, hear, ...more }: More = {}): Promise<Told> {
  const pieces: string[] = []
  const config = parseConfig(['uninstall', '--kubeconfig', kubeconfig, ...args], {}, { columns: 80 })
  const print = (piece: string) => {
    pieces.push(piece)
    hear?.(piece)
  }
  const clock = { elapsed: () => performance.now(), now: () => new Date() }
  const status = await uninstallFrom(config, { print, clock }, { ...world(), ...more })
  return { status, text: pieces.join('') }
}

/** The same through somebody who meddles. */
async function throughMeddler(
  args: readonly string[],
  meddle: (passing: Passing) => ReturnType<Passing['pass']>,
  more: More = {}
) {
  const server = await meddler(plane.api, meddle)
  open.push(server)
  const cluster = { server: `http://127.0.0.1:${server.port}`, 'insecure-skip-tls-verify': true }
  return await uninstall(args, { ...more, kubeconfig: await writeKubeconfig(plane.directory, { cluster }) })
}

describe('uninstall of one Node', () => {
  test('removes what is below the prefix and the condition, tells it, and touches nothing else', async () => {
    await put(labelled('one'), labelled('other'))
    const other = await read('other')
    const { status, text } = await uninstall(['--node-name', 'one'])
    expect(status).toBe(0)
    expect(text.replaceAll(/\s+/g, ' ').trim()).toBe(
      `one: removed 2 labels (cvm, retired-long-ago), 2 annotations (report, report-of-old), the condition ${CONDITION_TYPE}`
    )
    await expectClean('one')
    expect(await read('other')).toEqual(other)
  })

  test('is done by the second time', async () => {
    await put(labelled('twice'))
    await uninstall(['--node-name', 'twice'])
    const { resourceVersion } = (await read('twice')).metadata
    expect(await uninstall(['--node-name', 'twice'])).toEqual({ status: 0, text: 'twice: nothing to remove\n' })
    expect((await read('twice')).metadata.resourceVersion).toBe(resourceVersion)
  })

  test('leaves a Node alone that carries neither labels nor annotations', async () => {
    await put(bareNode('bare'))
    expect(await uninstall(['--node-name', 'bare'])).toEqual({ status: 0, text: 'bare: nothing to remove\n' })
  })

  test('by a dry run tells the same, and changes nothing', async () => {
    await put(labelled('dry'))
    const before = await read('dry')
    const { status, text } = await uninstall(['--node-name', 'dry', '--dry-run'])
    expect({ status, text }).toEqual({ status: 0, text: expect.stringContaining('dry: would remove 2 labels') })
    expect(await read('dry')).toEqual(before)
  })

  test('takes an old prefix', async () => {
    await put(labelled('old'))
    await uninstall(['--node-name', 'old', '--label-prefix', 'berth.dev.example.com'])
    const { labels, annotations } = (await read('old')).metadata
    expect({ labels, annotations }).toMatchObject(ours)
    expect(labels).not.toHaveProperty(['berth.dev.example.com/x'])
    expect(annotations).not.toHaveProperty(['berth.dev.example.com/x'])
  })

  test('leaves the startup taint, and says how to take it away', async () => {
    await put(labelled('tainted', times.lastHeartbeatTime, [startup]))
    const { text } = await uninstall(['--node-name', 'tainted'])
    expect(text).toContain(`kubectl taint node tainted ${startup.key}-`)
    expect((await read('tainted')).spec.taints).toEqual([startup])
  })

  test('fails where there is no such Node', async () => {
    await expect(uninstall(['--node-name', 'nowhere'])).rejects.toMatchObject({
      status: 1,
      message: expect.stringContaining('404')
    })
  })

  test('needs to be told which', async () => {
    await expect(uninstall([])).rejects.toMatchObject({ status: 2, message: expect.stringContaining('--all-nodes') })
  })
})

describe('what an agent wrote', () => {
  test('is gone with it, even the name under which it wrote; while it runs there is a warning', {
    timeout: 120_000
  }, async () => {
    await applyManifests(plane)
    const name = 'was-host'
    await put(realisticNode(name))
    const user = { token: await plane.tokenFor({ ...AGENT, nodeName: name }) }
    const cluster = { server: plane.url, 'certificate-authority': plane.caFile }
    const kubeconfig = await writeKubeconfig(plane.directory, { cluster, user })
    const recorded = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')
    const agent = await startAgent(name, kubeconfig, ['--host-root', recorded])
    await eventually('it has its condition', async () => {
      const conditions = await nodeOf(plane, name).conditions()
      return conditions.some(({ type }) => type === CONDITION_TYPE)
    })
    await agent.kill('SIGTERM')
    // By the agent's own token, which the admission policy holds to its own Node.
    const root = join(import.meta.dirname, '../..')
    const args = ['src/main.ts', 'uninstall', '--kubeconfig', kubeconfig, '--node-name', name]
    const { exitCode, stdout } = await execa(process.execPath, args, { cwd: root, reject: false })
    expect(exitCode).toBe(0)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'it is unknown whether an agent still runs (these credentials may not list Pods). The last heartbeat on was-host is'
    )
    expect(stdout).toContain('If it still runs: kubectl -n berth delete daemonset berth')
    expect(stdout).toMatch(new RegExp(`^${name}: removed \\d+ labels`, 'm'))
    const node = await read(name)
    expect(JSON.stringify(node.metadata.labels)).not.toContain('berth')
    expect(JSON.stringify(node.metadata.annotations)).not.toContain('berth')
    expect(JSON.stringify(node.status['conditions'])).not.toContain(CONDITION_TYPE)
    expect(JSON.stringify(node.metadata.managedFields)).not.toContain('berth')
  })
})

describe('whether an agent runs', () => {
  const justNow = () => new Date().toISOString()
  const removed = /^beats: removed 2 labels/m

  test('is told by its Pods: after they are gone there is no warning, however young the heartbeat', async () => {
    await put(labelled('beats', justNow()))
    const { text } = await uninstall(['--node-name', 'beats'])
    expect(text).toMatch(removed)
    expect(text).not.toContain('warning')
  })

  test.each([
    ['of that Node', ['--node-name', 'beats'], 'beats', 'Running', true],
    ['of any Node', ['--all-nodes'], 'elsewhere', 'Pending', true],
    ['of another Node is no matter of this one', ['--node-name', 'beats'], 'elsewhere', 'Running', false],
    ['that has ended is none', ['--all-nodes'], 'beats', 'Failed', false]
  ] as const)('is told by its Pods: one %s', async (_, args, node, phase, warns) => {
    await put(labelled('beats'))
    const pod = await agentPod(node, phase)
    try {
      const { text } = await uninstall(args)
      expect(text).toMatch(removed)
      expect(text.replaceAll(/\s+/g, ' ').includes(`warning: an agent runs on ${node} (Pod ${pod} in the Namespace tools)`)).toBe(
        warns
      )
      expect(text.includes('Delete it first: kubectl -n tools delete daemonset the-agent\n')).toBe(warns)
    } finally {
      await succeeded('delete', plane.api('DELETE', `/api/v1/namespaces/tools/pods/${pod}?gracePeriodSeconds=0`))
    }
  })

  test('is not known where Pods may not be listed: then a young heartbeat is told, and an old one is not', async () => {
    const withoutPods = (args: readonly string[]) =>
      throughMeddler(args, async ({ path, pass }) => (path.startsWith('/api/v1/pods') ? refusal(403, 'Forbidden') : await pass()))
    await put(labelled('beats', justNow()), labelled('silent'))
    const young = await withoutPods(['--node-name', 'beats'])
    expect(young.text).toMatch(removed)
    expect(young.text.replaceAll(/\s+/g, ' ')).toMatch(
      /^warning: it is unknown whether an agent still runs \(these credentials may not list Pods\)\. The last heartbeat on beats is \d+ s old/
    )
    expect((await withoutPods(['--node-name', 'silent'])).text).not.toContain('warning')
  })
})

/** In a Namespace of its own choice, as somebody may install it; returns its name. */
async function agentPod(node: string, phase: 'Running' | 'Pending' | 'Failed'): Promise<string> {
  await plane.tokenFor({ namespace: 'tools', serviceAccount: 'berth-agent' })
  const name = `the-agent-${node}`
  const metadata = {
    name,
    labels: { 'app.kubernetes.io/name': 'berth', 'app.kubernetes.io/component': 'agent' },
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'the-agent', uid: '0b4e8a52-0000-4000-8000-000000000001' }
    ]
  }
  const containers = [{ name: 'never-run', image: 'image.example/never-run' }]
  const spec = { nodeName: node, serviceAccountName: 'berth-agent', automountServiceAccountToken: false, containers }
  const pods = '/api/v1/namespaces/tools/pods'
  await succeeded('create', plane.api('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec }))
  const patch = ['PATCH', `${pods}/${name}/status`, { status: { phase } }, 'application/merge-patch+json'] as const
  await succeeded('set the phase', plane.api(...patch))
  return name
}

describe('uninstall of all Nodes', () => {
  const names = Array.from({ length: 7 }, (_, index) => `all-${index}`)

  test('goes from page to page, a line a Node, and counts', async () => {
    await put(...names.map(name => labelled(name)), bareNode('all-bare'))
    const requests: string[] = []
    const { status, text } = await throughMeddler(['--all-nodes'], ({ method, path, pass }) => {
      if (method === 'GET' && path.startsWith('/api/v1/nodes?')) requests.push(path)
      return pass()
    })
    expect(status).toBe(0)
    for (const name of names) {
      await expectClean(name)
      expect(text.match(new RegExp(`^${name}: removed`, 'gm'))).toHaveLength(1)
    }
    expect(text).toContain('all-bare: nothing to remove')
    expect(text).toContain('8 Nodes checked: 7 changed, 0 failed.')
    expect(requests).toHaveLength(3)
    expect(requests[0]).toBe('/api/v1/nodes?limit=3')
    expect(requests[2]).toContain('continue=')
    expect((await uninstall(['--all-nodes'])).text).toContain('8 Nodes checked: 0 changed, 0 failed.')
  })

  test('begins again when the API server has forgotten its place, and tells no Node twice', async () => {
    await put(...names.map(name => labelled(name)))
    let expired = 0
    const { status, text } = await throughMeddler(['--all-nodes'], async ({ path, pass }) =>
      path.includes('continue=') && expired++ === 0 ? refusal(410, 'Expired') : await pass()
    )
    expect(status).toBe(0)
    for (const name of names) expect(text.match(new RegExp(`^${name}:`, 'gm'))).toHaveLength(1)
    expect(text).toContain('7 Nodes checked: 7 changed, 0 failed.')
    for (const name of names) await expectClean(name)
  })

  test('changes nothing by a dry run', async () => {
    await put(...names.map(name => labelled(name)))
    const before = await Promise.all(names.map(read))
    expect((await uninstall(['--all-nodes', '--dry-run'])).text).toContain('7 Nodes checked: 7 would be changed, 0 failed.')
    expect(await Promise.all(names.map(read))).toEqual(before)
  })

  test('survives one that an admission policy keeps', { timeout: 120_000 }, async () => {
    await put(...names.map(name => labelled(name)))
    await keep('all-3')
    try {
      const { status, text } = await uninstall(['--all-nodes'])
      expect(status).toBe(1)
      expect(text.replaceAll(/\s+/g, ' ')).toContain('all-3: FAILED: cannot change the Node "all-3"')
      expect(text).toContain('7 Nodes checked: 6 changed, 1 failed.')
      for (const name of names.filter(other => other !== 'all-3')) await expectClean(name)
      expect((await read('all-3')).metadata.labels).toMatchObject(ours.labels)
    } finally {
      await unkeep('all-3')
    }
  })

  test('ends after what it has begun when it is told to stop, and says so', async () => {
    await put(...names.map(name => labelled(name)))
    const stop = new AbortController()
    const { status, text } = await uninstall(['--all-nodes'], { signal: stop.signal, limit: 7, hear: () => stop.abort() })
    expect(status).toBe(1)
    expect(text).toContain('Stopped by a signal')
    const nodes = await Promise.all(names.map(read))
    const clean = nodes.filter(({ metadata }) => !('berth.dev/cvm' in (metadata.labels ?? {})))
    expect(clean.length).toBeGreaterThan(0)
    expect(clean.length).toBeLessThanOrEqual(4)
    for (const { metadata } of clean) await expectClean(metadata.name)
    expect(text).toContain(`${clean.length} Node`)
  })

  test('tells what was done before the API went away', async () => {
    await put(...names.map(name => labelled(name)))
    const heard: string[] = []
    const ended = throughMeddler(
      ['--all-nodes'],
      async ({ path, pass }) => (path.includes('continue=') ? refusal(403, 'Forbidden') : await pass()),
      { hear: piece => heard.push(piece) }
    )
    await expect(ended).rejects.toMatchObject({ status: 1, message: expect.stringContaining('403') })
    expect(heard.join('')).toContain('3 Nodes checked: 3 changed, 0 failed.')
  })

  test('takes three pages of a hundred, as a user does it', { timeout: 120_000 }, async () => {
    const many = Array.from({ length: 230 }, (_, index) => `many-${index}`)
    const queue = [...many]
    const worker = async () => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const metadata = { name, labels: { 'berth.dev/cvm': 'true' } }
        await succeeded('create', plane.api('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata }))
      }
    }
    await Promise.all(Array.from({ length: 16 }, worker))
    const args = ['src/main.ts', 'uninstall', '--kubeconfig', plane.kubeconfig, '--all-nodes']
    const env = { PATH: process.env['PATH'] ?? '', NODE_NAME: 'many-1' }
    const { exitCode, stdout } = await execa(process.execPath, args, {
      cwd: join(import.meta.dirname, '../..'),
      extendEnv: false,
      env
    })
    expect(exitCode).toBe(0)
    expect(stdout).toContain('230 Nodes checked: 230 changed, 0 failed.')
    const selected = '/api/v1/nodes?labelSelector=berth.dev/cvm'
    expect((await succeeded('list', plane.api<{ items: readonly unknown[] }>('GET', selected))).items).toEqual([])
  })
})

describe('while others write', () => {
  test('a conflict is tried again', async () => {
    await put(labelled('busy'))
    let conflicts = 0
    const { status } = await throughMeddler(['--node-name', 'busy'], async ({ method, path, pass }) =>
      method === 'PATCH' && !path.includes('/status') && conflicts++ < 2 ? refusal(409, 'Conflict') : await pass()
    )
    expect({ status, conflicts }).toEqual({ status: 0, conflicts: 3 })
    await expectClean('busy')
  })

  test('a conflict that does not end is told, and does not keep the condition', async () => {
    await put(labelled('contested'))
    const { status, text } = await throughMeddler(['--node-name', 'contested'], async ({ method, path, pass }) =>
      method === 'PATCH' && !path.includes('/status') ? refusal(409, 'Conflict') : await pass()
    )
    expect(status).toBe(1)
    expect(text.replaceAll(/\s+/g, ' ')).toMatch(/^contested: removed the condition WorkspaceNodeReady; FAILED: .*409/)
    expect(JSON.stringify((await read('contested')).status['conditions'])).not.toContain(CONDITION_TYPE)
  })

  test('a Node that is deleted in between is no failure', async () => {
    await put(labelled('leaving'))
    const { status, text } = await throughMeddler(['--node-name', 'leaving'], async ({ method, pass }) => {
      if (method === 'PATCH') await plane.api('DELETE', '/api/v1/nodes/leaving')
      return await pass()
    })
    expect({ status, text }).toEqual({ status: 0, text: 'leaving: was deleted meanwhile\n' })
  })

  test.each([
    [1, 0],
    [99, 1]
  ])('a label that comes back %i times is removed again, within reason', async (times, expected) => {
    await put(labelled('haunted'))
    let left = times
    const { status, text } = await throughMeddler(['--node-name', 'haunted'], async ({ method, path, pass }) => {
      const answer = await pass()
      if (method !== 'PATCH' || path.includes('/status') || left-- <= 0) return answer
      return await plane.api('PATCH', '/api/v1/nodes/haunted', { metadata: { labels: { 'berth.dev/back': 'again' } } })
    })
    expect(status).toBe(expected)
    if (expected === 0) await expectClean('haunted')
    else expect(text.replaceAll(/\s+/g, ' ')).toContain('carries berth.dev/back again after each removal')
  })
})

const group = '/apis/admissionregistration.k8s.io/v1'

/** Makes the API refuse every change of that Node. */
async function keep(name: string): Promise<void> {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const resourceRules = [{ apiGroups: [''], apiVersions: ['*'], resources: ['nodes', 'nodes/status'], operations: ['UPDATE'] }]
  await succeeded(
    'policy',
    plane.api('POST', `${group}/validatingadmissionpolicies`, {
      ...{ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name } },
      spec: {
        matchConstraints: { resourceRules },
        matchConditions: [{ name: 'kept', expression: `request.name == '${name}'` }],
        validations: [{ expression: 'false', message: 'it is kept' }]
      }
    })
  )
  await succeeded(
    'binding',
    plane.api('POST', `${group}/validatingadmissionpolicybindings`, {
      ...{ apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name } },
      spec: { policyName: name, validationActions: ['Deny'] }
    })
  )
  await eventually('it is kept', async () => (await tryLabel(name)) === 422, 60_000)
  await sleep(200)
}

const tryLabel = async (name: string) =>
  (await plane.api('PATCH', `/api/v1/nodes/${name}?dryRun=All`, { metadata: { labels: { 'example.com/try': 'x' } } })).status

async function unkeep(name: string): Promise<void> {
  await plane.api('DELETE', `${group}/validatingadmissionpolicybindings/${name}`)
  await plane.api('DELETE', `${group}/validatingadmissionpolicies/${name}`)
  await eventually('it is kept no more', async () => (await tryLabel(name)) === 200, 60_000)
}
