import { writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { dump } from 'js-yaml'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { parseConfig } from '../../src/cli/config.ts'
import { runOnce } from '../../src/commands/run.ts'
import { untried } from '../../src/facts/proofs.ts'
import { type Handover, handoverText } from '../../src/helper/handover.ts'
import { parseRecording } from '../../src/host/recorded.ts'
import { succeeded } from '../support/cluster/api.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { bareNode, createNode, type NodeObject, realisticNode } from '../support/cluster/nodes.ts'
import { fakeApi, json } from './fake-api.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const root = join(import.meta.dirname, '../..')
const recorded = join(root, 'test/nodes/gke-ubuntu-22.04.yaml')
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-run-once-'))
})
afterAll(() => rm(directory, { recursive: true }))
afterEach(() => vi.unstubAllEnvs())

/** The program itself, as a user starts it. */
async function berth(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env['PATH'] ?? '', ...environment }
  const options = { cwd: root, reject: false, extendEnv: false, env, timeout: 60_000 } as const
  const { exitCode, stdout, stderr } = await execa(process.execPath, ['src/main.ts', 'run', ...args], options)
  return { exitCode, stdout, stderr }
}

const once = (name: string, ...more: readonly string[]) =>
  berth(['--once', '--kubeconfig', shared.kubeconfig, '--node-name', name, ...more])

const read = (name: string) => succeeded('read it', shared.api<NodeObject>('GET', `/api/v1/nodes/${name}`))

const ours = ({ metadata }: NodeObject, prefix = 'berth.dev/') =>
  Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([key]) => key.startsWith(prefix)))

interface Audited {
  readonly verb: string
  readonly requestURI: string
  readonly userAgent?: string
}

/** Whether ID-mapped mounts work on ZFS is not known until one was tried: a label that moves by the helper's word alone. */
async function helpedNode(folder: string) {
  const node = parseRecording(await readFile(join(root, 'test/nodes/kubelet-on-zfs.yaml'), 'utf8'))
  const made = { filesystems: 'nodev\toverlay\n', disk: 'zfs (0:20) at /', overProc: '', uptime: 100_000 }
  const filesystems = { ...node.paths['/proc/filesystems'], text: made.filesystems }
  const paths = { ...node.paths, '/proc/filesystems': filesystems, '/proc/uptime': { text: '103600.00 5.00\n' } }
  const host = join(folder, 'helped.yaml')
  await writeFile(host, dump({ ...node, paths }))
  const good: Handover = {
    ...{ schema: 1, at: '2026-11-03T10:00:06.000Z', version: '0.1.0', node: '', uptime: 103_000, made },
    ...{ boot: '00000000-0000-4000-8000-000000000000', release: '6.1.0-56-amd64' },
    readings: { apparmorUserns: undefined, profiles: undefined, sysboxVersion: undefined },
    proofs: { ...untried('no tool'), 'id-mapped-mount': { outcome: 'works', because: 'mountinfo says "idmapped"' } },
    outcomes: [
      { remedy: 'shiftfs', result: 'failed', because: 'the build failed: no gcc', at: '2026-11-03T10:00:05.000Z', tail: '' }
    ]
  }
  const handover = (changes: Partial<Handover>): string => {
    const file = join(folder, `handover-${changes.boot ?? 'good'}.json`)
    writeFileSync(file, handoverText({ ...good, ...changes }))
    return file
  }
  return { host, handover }
}

let marks = 0

/** What berth asked for of a Node, by the API server's own log, which is written a little later than the answers. */
async function audited(name: string): Promise<readonly string[]> {
  const mark = `/api/v1/nodes/mark-${++marks}-of-${name}`
  await shared.api('GET', mark)
  await expect.poll(() => readFile(shared.auditLog, 'utf8')).toContain(mark)
  const log = (await readFile(shared.auditLog, 'utf8')).split('\n').filter(line => line.includes(`/api/v1/nodes/${name}`))
  return log
    .map(line => JSON.parse(line) as Audited)
    .filter(({ userAgent, requestURI }) => userAgent?.startsWith('berth/') && requestURI.split('?')[0]?.endsWith(`/${name}`))
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`)
}

describe('run --once', () => {
  test('labels a Node in one request, and the second run writes nothing', async () => {
    await createNode(shared, realisticNode('once'))
    const first = await once('once', '--host-root', recorded)
    expect(first).toMatchObject({ exitCode: 0, stderr: '' })
    const labelled = await read('once')
    expect(ours(labelled)).toMatchObject({
      'berth.dev/cvm': 'true',
      'berth.dev/distro': 'ubuntu-22.04',
      'berth.dev/machine': 'virtual',
      'berth.dev/gpu-hardware': 'none'
    })
    expect(first.stdout).toMatch(/^once: (\d+) of \1 labels written, the report written, in one request, and read back\.$/m)
    expect(first.stdout).toContain('berth.dev/distro=ubuntu-22.04')
    const report = JSON.parse(labelled.metadata.annotations?.['berth.dev/report'] ?? '')
    expect(report.verdicts.cvm.because).toEqual(expect.any(String))
    expect(labelled.metadata.labels).toMatchObject(realisticNode('once').metadata.labels ?? {})
    expect(labelled.metadata.annotations).toMatchObject(realisticNode('once').metadata.annotations ?? {})

    const uri = '/api/v1/nodes/once'
    const asked = [`get ${uri}`, `patch ${uri}?fieldManager=berth`, `get ${uri}`]
    expect(await audited('once')).toEqual(asked)
    const second = await once('once', '--host-root', recorded)
    expect(second).toMatchObject({ exitCode: 0, stderr: '' })
    expect(second.stdout).toBe(`once: nothing to write: all ${Object.keys(ours(labelled)).length} labels are up to date.`)
    expect((await read('once')).metadata.resourceVersion).toBe(labelled.metadata.resourceVersion)
    expect(await audited('once')).toEqual([...asked, `get ${uri}`])
  })

  test('labels a Node that has neither labels nor annotations, from this very machine', async () => {
    await createNode(shared, bareNode('once-bare'))
    expect(await once('once-bare')).toMatchObject({ exitCode: 0, stderr: '' })
    const labelled = await read('once-bare')
    expect(Object.keys(ours(labelled)).length).toBeGreaterThanOrEqual(10)
    expect(labelled.metadata.annotations).toHaveProperty(['berth.dev/report'])
    // Nothing that moves by itself is in what is written: a minute later it would be written again.
    expect((await once('once-bare')).stdout).toMatch(/^once-bare: nothing to write/)
    expect((await read('once-bare')).metadata.resourceVersion).toBe(labelled.metadata.resourceVersion)
  })

  test('rests on what the helper of this node found, and tells what it did; a word that is not believed moves no label', async () => {
    const name = 'once-helped'
    await createNode(shared, realisticNode(name))
    const { host, handover } = await helpedNode(directory)
    const run = (file: string) => once(name, '--host-root', host, '--handover', file)
    const helped = await run(handover({}))
    expect(helped).toMatchObject({ exitCode: 0, stderr: '' })
    expect(helped.stdout).toMatch(/^shiftfs: failed: the build failed: no gcc$/m)
    expect(ours(await read(name))).toMatchObject({ 'berth.dev/cvm': 'true' })
    const doubted = await run(handover({ boot: '11111111-0000-4000-8000-000000000000' }))
    expect(doubted.stdout).toMatch(/^the handover of the helper is not used: it was made under boot 11111111/m)
    expect(doubted.stdout).not.toContain('no gcc')
    expect(ours(await read(name))).toMatchObject({ 'berth.dev/cvm': 'unknown' })
  })

  test('removes a retired key of ours, mends a changed one, and touches nobody else’s', async () => {
    const foreign = {
      'berth.dev.example.com/cvm': 'theirs',
      'xberth.dev/cvm': 'theirs',
      'example.com/berth.dev': 'theirs',
      'berth.dev': 'theirs'
    }
    const labels = { ...foreign, 'berth.dev/old-thing': 'true', 'berth.dev/distro': 'wrong-1' }
    await createNode(shared, realisticNode('once-retired', { labels, annotations: { 'example.com/report': 'theirs' } }))
    const { stdout } = await once('once-retired', '--host-root', recorded)
    expect(stdout).toContain('berth.dev/old-thing removed (was true)')
    expect(stdout).toContain('berth.dev/distro=wrong-1 → ubuntu-22.04')
    const { metadata } = await read('once-retired')
    expect(metadata.labels).not.toHaveProperty(['berth.dev/old-thing'])
    expect(metadata.labels).toMatchObject({ ...foreign, 'berth.dev/distro': 'ubuntu-22.04' })
    expect(metadata.annotations).toMatchObject({ 'example.com/report': 'theirs' })
  })

  test('writes below another prefix when it is told to', async () => {
    await createNode(shared, realisticNode('once-prefix', { labels: { 'berth.dev/cvm': 'other' } }))
    await once('once-prefix', '--host-root', recorded, '--label-prefix', 'nodes.example.org')
    const node = await read('once-prefix')
    expect(ours(node)).toEqual({ 'berth.dev/cvm': 'other' })
    expect(ours(node, 'nodes.example.org/')).toHaveProperty(['nodes.example.org/distro'], 'ubuntu-22.04')
    expect(node.metadata.annotations).toHaveProperty(['nodes.example.org/report'])
  })

  test('takes KUBECONFIG and NODE_NAME', async () => {
    await createNode(shared, bareNode('once-environment'))
    const env = { KUBECONFIG: shared.kubeconfig, NODE_NAME: 'once-environment', BERTH_HOST_ROOT: recorded }
    expect(await berth(['--once'], env)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ours(await read('once-environment'))).toHaveProperty(['berth.dev/distro'])
  })

  test('reads the Pod Security level of the namespace of workspaces', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    await shared.api('POST', '/api/v1/namespaces', { metadata: { name: 'once-workspaces', labels } })
    await createNode(shared, bareNode('once-namespace'))
    await once('once-namespace', '--host-root', recorded, '--workspace-namespace', 'once-workspaces')
    const node = await read('once-namespace')
    expect(ours(node)).toHaveProperty(['berth.dev/privileged'], 'false')
    expect(node.metadata.annotations?.['berth.dev/report']).toContain(
      'once-workspaces enforces the Pod Security level restricted'
    )
  })

  test('is refused without the name of a Node', async () => {
    const { exitCode, stderr } = await berth(['--once', '--kubeconfig', shared.kubeconfig])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/--node-name NAME or NODE_NAME/)
  })
})

describe('in a pod', () => {
  test('uses the mounted service account, with no more rights than get and patch on nodes', async () => {
    await createNode(shared, bareNode('once-in-pod'))
    const name = 'berth-once'
    await shared.api('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name },
      rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch'] }]
    })
    await shared.api('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', namespace: 'once', name: 'agent' }]
    })
    const mounted = join(directory, 'pod/var/run/secrets/kubernetes.io/serviceaccount')
    await mkdir(mounted, { recursive: true })
    const token = await shared.tokenFor({ namespace: 'once', serviceAccount: 'agent', nodeName: 'once-in-pod' })
    await writeFile(join(mounted, 'token'), token)
    await writeFile(join(mounted, 'ca.crt'), shared.ca)
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '127.0.0.1')
    vi.stubEnv('KUBERNETES_SERVICE_PORT', new URL(shared.url).port)

    const config = parseConfig(['run', '--once', '--node-name', 'once-in-pod', '--host-root', recorded], {}, {})
    const world = { sleep: async () => undefined, random: () => 0, connection: { root: join(directory, 'pod') } }
    const clock = { elapsed: () => performance.now(), now: () => new Date() }
    let printed = ''
    const print = (text: string) => {
      printed += text
    }
    expect(await runOnce(config, { print, clock }, world)).toBe(0)
    expect(printed).toContain('berth.dev/distro=ubuntu-22.04')
    expect(ours(await read('once-in-pod'))).toHaveProperty(['berth.dev/distro'], 'ubuntu-22.04')
  })
})

describe('what was written is read back', () => {
  test('a write that did not last is an error that names its keys', async () => {
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'fake', uid: 'u', labels: { 'berth.dev/distro': 'stays-1' } }
    }
    const keys = {
      key: await readFile(join(shared.directory, 'server.key')),
      cert: await readFile(join(shared.directory, 'server.crt'))
    }
    const fake = await fakeApi((_, response) => json(response, 200, node), keys)
    try {
      const kubeconfig = await writeKubeconfig(directory, {
        cluster: { server: `https://127.0.0.1:${fake.port}`, 'certificate-authority': shared.caFile }
      })
      const { exitCode, stdout, stderr } = await berth([
        '--once',
        '--kubeconfig',
        kubeconfig,
        '--node-name',
        'fake',
        '--host-root',
        recorded
      ])
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toContain('berth.dev/distro is "stays-1", expected "ubuntu-22.04"')
      expect(stderr).toContain('berth.dev/cvm is absent, expected')
      expect(stderr).toContain('the annotation berth.dev/report differs')
      expect(stderr).toContain('admission webhook')
    } finally {
      await fake.close()
    }
  })
})
